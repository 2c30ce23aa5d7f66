// SPDX-License-Identifier: GPL-2.0-only
/* A machine's life: files checked, VM made, devices in order, the run, and all of it down again. */
#include "machine/machine.h"

#include <assert.h>
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "control/control.h"
#include "machine/console.h"
#include "machine/disk.h"
#include "machine/fault_control.h"
#include "machine/fs.h"
#include "machine/host.h"
#include "machine/hugetlb.h"
#include "machine/layout.h"
#include "machine/net.h"
#include "machine/session.h"
#include "machine/status.h"
#include "machine/vfio.h"
#include "machine/vsock.h"
#include "vmm/arm64/gic.h"
#include "vmm/clock.h"
#include "vmm/vcpu.h"

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

static int open_files(struct machine *m)
{
	const struct options *o = m->options;
	int status = host_check(o);

	if (!status)
		status = host_check_files(o);
	if (!status)
		host_reserve_files(o);
	if (!status)
		status = hugetlb_check(o, &m->huge_page);
	m->vsock = -1;
	m->boot = (struct boot){ .kernel = -1, .initrd = -1, .dump = -1 };
	if (!status)
		status = boot_open(&m->boot, o);
	for (unsigned int i = 0; i < o->nr_disks; i++)
		m->disks[i] = -1;
	for (unsigned int i = 0; i < o->nr_disks && !status; i++)
		status = disk_open(&o->disks[i], &m->disks[i], &m->disk_sizes[i]);
	if (!status)
		status = nets_open(m);
	fs_init(m);
	if (!status)
		status = fs_open(o);
	if (!status)
		status = vsock_open(&o->vsock, &m->vsock, &m->log);
	if (!status)
		status = vfio_open(m);
	if (status)
		return status;
	block_signals(); /* from here on, a socket is left behind by none but SIGKILL */
	status = session_open(m->session, o);
	if (!status)
		status = host_check_kvm(o, &kvm_host, &m->log);
	if (status)
		return status;
	session_begin(m->session);
	m->log.sink = m->session->logging ? &m->session->log.sink : NULL;
	status = nets_start(m); /* last: what is wrong was said before any helper runs */
	return status ? status : fs_start(m);
}

static void close_files(struct machine *m)
{
	for (unsigned int i = 0; i < m->options->nr_disks; i++)
		if (m->disks[i] >= 0)
			close(m->disks[i]);
	nets_close(m);
	fs_close(m);
	vfio_close(m);
	if (m->vsock >= 0)
		close(m->vsock);
	boot_close(&m->boot);
}

static struct irqchip_config irqs(const struct options *o)
{
	bool takes_spis = irqchip_takes_spis(o->irqchip);

	return (struct irqchip_config){
		.irqchip = o->irqchip,
		.nr_spis = board_spis(o),
		.first_msi_spi = SPI_V2M0,
		.nr_msi_spis = takes_spis ? NR_V2M_SPIS : 0,
	};
}

static int create_vm(struct machine *m, const struct kvm_ops *ops, const struct arch_config *arch)
{
	const struct vm_config c = {
		.ops = ops,
		.log = &m->log,
		.ram_base = RAM_BASE,
		.ram_size = m->options->mem,
		.ram_shared = m->session && m->options->nr_fs,
		.ram_huge_page = m->huge_page,
		.ram_dir = m->options->hugetlbfs,
		.top = board_top(m->options),
		.nr_cpus = m->options->cpus,
		.arch = arch,
		.irqs = &m->irqs,
		.reboots = m->options->reboot,
	};
	enum vm_step step;
	int err = vm_create(&m->vm, &c, &step);

	if (err)
		return host_failed(m->options, &m->vm, step, err);
	fault_hub_init(&m->faults, m->vm.loop, &m->log);
	m->faults.vm = &m->vm;
	fault_events_init(m);
	return 0;
}

int machine_own(struct machine *m, void (*destroy)(void *object), void *object)
{
	assert(m->nr_owned < MAX_OWNED); /* more than every option together can make */
	m->owned[m->nr_owned++] = (struct owned){ destroy, object };
	return 0;
}

static void destroy_owned(struct machine *m)
{
	while (m->nr_owned) {
		struct owned *last = &m->owned[--m->nr_owned];

		last->destroy(last->object);
	}
	free(m->virtio);
}

/* Every device, in this order: what is made first gets the lower slot. */
typedef int (*create_fn)(struct machine *m);
static const create_fn devices[] = {
	board_create, onboard_create,    vfio_devices_bind,   iommus_create,
	disks_create, nets_create,       vsock_device_create, fs_devices_create,
	hvc_create,   rng_device_create, dma_tests_create,    vfio_devices_create,
};
static const create_fn described[] = {
	board_create, onboard_create,    iommus_create,      stand_ins_create,
	hvc_create,   rng_device_create, dma_tests_describe, vfio_stand_ins_create,
};

static int create_devices(struct machine *m, const create_fn *create, size_t nr)
{
	int err = 0;

	for (size_t i = 0; i < nr && !err; i++)
		err = create[i](m);
	if (!err)
		err = board_place(m);
	if (!err)
		return iommus_describe(m);
	if (err > 0)
		return err;
	log_error("cannot create the devices: %s", strerror(-err));
	return STATUS_HOST_FAILED;
}

static void signalled(struct loop_op *op, int res)
{
	struct machine *m = container_of(op, struct machine, signal_op);

	if (res == sizeof(m->siginfo))
		vm_end_by(&m->vm, STATUS_SIGNAL + m->siginfo.ssi_signo, VM_CAUSE_SIGNAL);
}

static void timed_out(struct loop_op *op, int res)
{
	if (res == -ETIME)
		vm_end_by(&container_of(op, struct machine, timeout_op)->vm, STATUS_TIMEOUT,
		          VM_CAUSE_TIMEOUT);
}

static struct __kernel_timespec time_left(u64 deadline)
{
	u64 left = deadline - clock_now();

	if (left > deadline)
		left = 1; /* it has passed */
	return (struct __kernel_timespec){ left / NSEC_PER_SEC, left % NSEC_PER_SEC };
}

/*
 * Signals end the guest as any other cause does: in order, with the terminal given
 * back. What was ignored when Nestor began stays so (nohup, a shell's background
 * job); blocked as it is, a signalfd would read it.
 */
static sigset_t fatal_signals(void)
{
	static const int all[] = { SIGHUP, SIGINT, SIGQUIT, SIGTERM };
	struct sigaction action;
	sigset_t ours;

	sigemptyset(&ours);
	for (size_t i = 0; i < ARRAY_SIZE(all); i++)
		if (!sigaction(all[i], NULL, &action) && action.sa_handler != SIG_IGN)
			sigaddset(&ours, all[i]);
	return ours;
}

static int watch(struct machine *m)
{
	const sigset_t ours = fatal_signals();

	m->signals = signalfd(-1, &ours, SFD_CLOEXEC);
	if (m->signals < 0) {
		log_error("signalfd: %s", strerror(errno));
		return STATUS_HOST_FAILED;
	}
	m->signal_op = (struct loop_op){ .done = signalled, .endless = true };
	loop_read(m->vm.loop, &m->signal_op, m->signals, &m->siginfo, sizeof(m->siginfo));
	if (!m->options->timeout)
		return 0;
	m->timeout = time_left(m->options->deadline);
	m->timeout_op = (struct loop_op){ .done = timed_out, .endless = true };
	loop_timeout(m->vm.loop, &m->timeout_op, &m->timeout);
	return 0;
}

static int load(struct machine *m)
{
	int err, status = boot_load(&m->boot, m->options, &m->vm.mem, &m->log, &m->platform);

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
	int err;

	control_attach(m->session->control, &m->vm, &machine_control_ops, m);
	err = vcpus_start(&m->vm);
	if (!err)
		err = loop_run(m->vm.loop);
	vcpus_stop(&m->vm);
	loop_drain(m->vm.loop);
	work_drain(m->vm.work);
	fault_events_end(m);
	control_detach(m->session->control, m->options->reboot && m->vm.status == STATUS_RESET);
	console_flush(m->console);
	terminal_restore(&m->terminal);
	if (err) {
		log_error("cannot go on: %s", strerror(-err));
		return STATUS_HOST_FAILED;
	}
	for (unsigned int i = 0; i < m->vm.nr_vcpus; i++)
		if (*m->vm.vcpus[i].failure)
			log_error("%s", m->vm.vcpus[i].failure);
	return m->options->strict_io ? faults_strict(m, m->vm.status) : m->vm.status;
}

/* With the files open and the VM there: the rest, and the run. */
static int build_and_run(struct machine *m)
{
	int status;

	m->signals = -1;
	status = create_devices(m, devices, ARRAY_SIZE(devices));
	if (!status)
		status = watch(m);
	if (!status)
		status = load(m);
	if (!status)
		status = nets_check(m);
	if (!status)
		status = fs_check(m);
	if (!status)
		status = run(m);
	else
		loop_drain(m->vm.loop);
	if (m->signals >= 0)
		close(m->signals);
	destroy_owned(m);
	return status;
}

int machine_run(const struct options *o, struct session *s)
{
	struct machine m = {
		.options = o,
		.irqs = irqs(o),
		.msi_window = o->msi_window,
		.log = { .topics = o->trace },
		.session = s,
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
	status = create_vm(&m, &kvm_host, &o->arch);
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

int machine_describe(const struct options *o, int (*show)(struct machine *m, void *ctx), void *ctx)
{
	/* What the CPUs have beside these two, guests are not told of. */
	const struct arch_config arch = { .pmu = o->arch.pmu, .el2 = o->arch.el2 };
	struct machine m = {
		.options = o,
		.irqs = irqs(o),
		.msi_window = o->msi_window,
		.log = { .topics = o->trace },
		.terminal = { .guard = -1 },
	};
	int status;

	host_reserve_files(o);
	status = create_vm(&m, &kvm_none, &arch);
	if (status)
		return status;
	status = create_devices(&m, described, ARRAY_SIZE(described));
	if (!status)
		status = show(&m, ctx);
	loop_drain(m.vm.loop);
	destroy_owned(&m);
	vm_destroy(&m.vm);
	return status;
}
