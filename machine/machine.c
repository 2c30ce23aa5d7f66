// SPDX-License-Identifier: GPL-2.0-only
/* The board: every device in order, where it is, and which line it drives. */
#include "machine/machine.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "devices/exit.h"
#include "devices/pci/pci.h"
#include "devices/serial.h"
#include "devices/virtio/blk.h"
#include "devices/virtio/pci.h"
#include "machine/boot.h"
#include "machine/console.h"
#include "machine/disk.h"
#include "machine/host.h"
#include "machine/layout.h"
#include "machine/options.h"
#include "machine/status.h"
#include "machine/terminal.h"
#include "vmm/arch.h"
#include "vmm/arm64/gic.h"
#include "vmm/platform.h"
#include "vmm/vcpu.h"
#include "vmm/vm.h"

struct disk {
	int fd; /* -1 once the device owns it */
	u64 size;
	struct virtio_dev *dev;
	struct virtio_pci *pci;
};

struct machine {
	const struct options *options;
	struct log log;
	struct boot boot;
	struct disk disks[MAX_DISKS];
	struct terminal terminal;
	struct vm vm;
	struct platform platform;
	struct console *console;
	struct serial *uarts[PLATFORM_UARTS];
	struct pci_host *pci;
	int signals;
	struct signalfd_siginfo siginfo;
	struct loop_op signal_op, timeout_op;
	struct __kernel_timespec timeout;
};

static int open_files(struct machine *m)
{
	const struct options *o = m->options;
	int status = host_check(o);

	m->boot = (struct boot){ .kernel = -1, .initrd = -1 };
	if (!status)
		status = boot_open(&m->boot, o);
	for (unsigned int i = 0; i < o->nr_disks; i++)
		m->disks[i].fd = -1;
	for (unsigned int i = 0; i < o->nr_disks && !status; i++)
		status = disk_open(&o->disks[i], &m->disks[i].fd, &m->disks[i].size);
	return status;
}

static void close_files(struct machine *m)
{
	for (unsigned int i = 0; i < m->options->nr_disks; i++)
		if (m->disks[i].fd >= 0)
			close(m->disks[i].fd);
	boot_close(&m->boot);
}

static int create_vm(struct machine *m)
{
	const struct vm_config c = {
		.ops = &kvm_host,
		.log = &m->log,
		.ram_base = RAM_BASE,
		.ram_size = m->options->mem,
		.top = RAM_BASE + m->options->mem,
		.nr_cpus = m->options->cpus,
		.nr_spis = NR_SPIS,
	};
	enum vm_step step;
	int err = vm_create(&m->vm, &c, &step);

	return err ? host_failed(m->options, step, err) : 0;
}

static void fill_platform(struct machine *m)
{
	const unsigned int cpus = m->options->cpus;

	m->platform = (struct platform){
		.nr_cpus = cpus,
		.ram = { RAM_BASE, m->options->mem },
		.gic = { .dist = GIC_DIST_BASE,
		         .dist_size = GIC_DIST_SIZE,
		         .redist = gic_redist_base(cpus),
		         .redist_size = cpus * GIC_REDIST_SIZE,
		         .its = GIC_ITS_BASE,
		         .its_size = GIC_ITS_SIZE },
		.pci = { .last_bus = 255,
		         .ecam = PCI_ECAM,
		         .io = { PCI_IO_BASE, 0, PCI_IO_SIZE },
		         .mem32 = { PCI_MEM_BASE, PCI_MEM_BASE, PCI_MEM_SIZE } },
	};
	for (unsigned int i = 0; i < 4; i++)
		m->platform.pci.intx_spi[i] = SPI_INTX0 + i;
	for (unsigned int i = 0; i < PLATFORM_UARTS; i++) {
		m->platform.uarts[i].base = UART_BASE + i * UART_STRIDE;
		m->platform.uarts[i].size = SERIAL_SIZE;
		m->platform.uarts[i].spi = SPI_UART0 + i;
	}
}

static int create_uarts(struct machine *m)
{
	int err = console_create(&m->console, &m->vm);

	for (unsigned int i = 0; i < PLATFORM_UARTS && !err; i++) {
		const struct serial_config c = {
			.base = m->platform.uarts[i].base,
			.spi = m->platform.uarts[i].spi,
			.backend = i ? NULL : console_backend(m->console),
		};

		err = serial_create(&m->uarts[i], &m->vm, &c);
	}
	if (!err)
		console_connect(m->console, m->uarts[0]);
	return err;
}

static int create_disk(struct machine *m, struct disk *d, const struct disk_option *o)
{
	const struct blk_config c = {
		.fd = d->fd,
		.size = d->size,
		.read_only = o->read_only,
	};
	int err = blk_create(&d->dev, m->vm.loop, &m->vm.dma, &m->log, &c);

	if (err)
		return err;
	d->fd = -1;
	return virtio_pci_create(&d->pci, m->pci, d->dev);
}

static int create_devices(struct machine *m)
{
	int err = create_uarts(m);

	if (!err)
		err = exit_device_create(&m->vm, EXIT_BASE);
	if (!err)
		err = pci_host_create(&m->pci, &m->vm, &m->platform.pci);
	for (unsigned int i = 0; i < m->options->nr_disks && !err; i++)
		err = create_disk(m, &m->disks[i], &m->options->disks[i]);
	if (!err)
		return 0;
	log_error("cannot create the devices: %s", strerror(-err));
	return STATUS_HOST_FAILED;
}

static void destroy_devices(struct machine *m)
{
	for (unsigned int i = 0; i < m->options->nr_disks; i++) {
		if (m->disks[i].pci)
			virtio_pci_destroy(m->disks[i].pci);
		if (m->disks[i].dev)
			blk_destroy(m->disks[i].dev);
	}
	if (m->pci)
		pci_host_destroy(m->pci);
	for (unsigned int i = 0; i < PLATFORM_UARTS; i++)
		if (m->uarts[i])
			serial_destroy(m->uarts[i]);
	if (m->console)
		console_destroy(m->console);
}

static void signalled(struct loop_op *op, int res)
{
	struct machine *m = container_of(op, struct machine, signal_op);

	if (res == sizeof(m->siginfo))
		vm_end(&m->vm, STATUS_SIGNAL + m->siginfo.ssi_signo);
}

static void timed_out(struct loop_op *op, int res)
{
	if (res == -ETIME)
		vm_end(&container_of(op, struct machine, timeout_op)->vm, STATUS_TIMEOUT);
}

/* Signals end the guest as any other cause does: in order, with the terminal given back. */
static int watch(struct machine *m)
{
	sigset_t ours;

	sigemptyset(&ours);
	sigaddset(&ours, SIGHUP);
	sigaddset(&ours, SIGINT);
	sigaddset(&ours, SIGQUIT);
	sigaddset(&ours, SIGTERM);
	m->signals = signalfd(-1, &ours, SFD_CLOEXEC);
	if (m->signals < 0) {
		log_error("signalfd: %s", strerror(errno));
		return STATUS_HOST_FAILED;
	}
	m->signal_op = (struct loop_op){ .done = signalled, .endless = true };
	loop_read(m->vm.loop, &m->signal_op, m->signals, &m->siginfo, sizeof(m->siginfo));
	if (!m->options->timeout)
		return 0;
	m->timeout.tv_sec = m->options->timeout;
	m->timeout_op = (struct loop_op){ .done = timed_out, .endless = true };
	loop_timeout(m->vm.loop, &m->timeout_op, &m->timeout);
	return 0;
}

static int load(struct machine *m)
{
	int err, status = boot_load(&m->boot, m->options, &m->vm.mem, &m->platform);

	if (!status)
		status = boot_describe(&m->boot, m->options, &m->vm.mem, &m->platform);
	if (status)
		return status;
	err = arch_vcpu_boot(&m->vm.vcpus[0], m->boot.entry, m->boot.fdt);
	if (!err)
		return 0;
	log_error("KVM: cannot set the first vCPU's registers: %s", strerror(-err));
	return STATUS_HOST_FAILED;
}

/* The guest's whole life, from its first instruction. */
static int run(struct machine *m)
{
	int err = vcpus_start(&m->vm);

	if (!err)
		err = loop_run(m->vm.loop);
	vcpus_stop(&m->vm);
	loop_drain(m->vm.loop);
	console_flush(m->console);
	terminal_restore(&m->terminal);
	if (err) {
		log_error("cannot go on: %s", strerror(-err));
		return STATUS_HOST_FAILED;
	}
	for (unsigned int i = 0; i < m->vm.nr_vcpus; i++)
		if (*m->vm.vcpus[i].failure)
			log_error("%s", m->vm.vcpus[i].failure);
	return m->vm.status;
}

/* With the files open and the VM there: the rest, and the run. */
static int build_and_run(struct machine *m)
{
	int status;

	m->signals = -1;
	fill_platform(m);
	status = create_devices(m);
	if (!status)
		status = watch(m);
	if (!status)
		status = load(m);
	if (!status)
		status = run(m);
	else
		loop_drain(m->vm.loop);
	if (m->signals >= 0)
		close(m->signals);
	destroy_devices(m);
	return status;
}

/* Before there is a thread: none of the signals that the loop watches is anyone else's. */
static void block_signals(void)
{
	sigset_t all;

	sigfillset(&all);
	sigdelset(&all, SIGSEGV);
	sigdelset(&all, SIGBUS);
	sigdelset(&all, SIGABRT);
	sigdelset(&all, SIGFPE);
	sigdelset(&all, SIGILL);
	sigprocmask(SIG_BLOCK, &all, NULL);
}

int machine_run(const struct options *o)
{
	struct machine m = {
		.options = o,
		.log = { .topics = o->trace },
		.terminal = { .guard = -1 },
	};
	int err, status = open_files(&m);

	if (status)
		goto close_files;
	err = terminal_raw(&m.terminal);
	if (err) {
		log_error("cannot have the terminal: %s", strerror(-err));
		status = STATUS_HOST_FAILED;
		goto close_files;
	}
	block_signals();
	status = create_vm(&m);
	if (status)
		goto restore_terminal;
	status = build_and_run(&m);
	vm_destroy(&m.vm);

restore_terminal:
	terminal_restore(&m.terminal);
close_files:
	close_files(&m);
	return status;
}
