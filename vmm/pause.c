// SPDX-License-Identifier: GPL-2.0-only
/* vCPUs held out of the guest, and let in again. */
#include "vmm/pause.h"

#include <assert.h>
#include <errno.h>
#include <linux/kvm.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "vmm/arch.h"
#include "vmm/vcpu.h"
#include "vmm/vm.h"

struct pause {
	struct vm *vm;
	/* @lock may be taken under the device lock, never the other way round. */
	pthread_mutex_t lock;
	pthread_cond_t changed;
	unsigned int holds, nr_parked, nr_holds;
	bool ending;
	/* Written when the last one has parked: the loop then calls who waits for it. */
	int fd;
	u64 count;
	struct loop_op op;
	struct pause_wait *waiting;
	/* The guest's clock stands still as well, or it would take the pause for a lockup. */
	bool clock_stopped;
	u64 clock;
};

static void tell_loop(struct pause *p)
{
	eventfd_write(p->fd, 1);
}

static bool settled(struct pause *p)
{
	bool is;

	pthread_mutex_lock(&p->lock);
	is = !p->holds || p->nr_parked == p->vm->nr_vcpus;
	pthread_mutex_unlock(&p->lock);
	return is;
}

static void told(struct loop_op *op, int res)
{
	struct pause *p = container_of(op, struct pause, op);
	struct pause_wait *w, *next;

	if (res < 0)
		return;
	loop_read(p->vm->loop, &p->op, p->fd, &p->count, sizeof(p->count));
	if (!settled(p))
		return;
	if (p->holds && !p->clock_stopped)
		p->clock_stopped = !arch_vm_get_time(p->vm, &p->clock);
	w = p->waiting;
	p->waiting = NULL;
	for (; w; w = next) {
		next = w->next;
		w->done(w);
	}
}

void vcpus_hold(struct vm *vm)
{
	struct pause *p = vm->pause;

	pthread_mutex_lock(&p->lock);
	if (!p->holds++) {
		p->nr_holds++;
		vcpus_kick(vm);
	}
	pthread_mutex_unlock(&p->lock);
}

void vcpus_release(struct vm *vm)
{
	struct pause *p = vm->pause;

	pthread_mutex_lock(&p->lock);
	assert(p->holds);
	if (!--p->holds) {
		if (p->clock_stopped)
			arch_vm_set_time(vm, p->clock); /* where it fails, time has passed */
		p->clock_stopped = false;
		pthread_cond_broadcast(&p->changed);
	}
	pthread_mutex_unlock(&p->lock);
	if (p->waiting)
		tell_loop(p);
}

bool vcpus_are_held(struct vm *vm)
{
	struct pause *p = vm->pause;
	bool held;

	pthread_mutex_lock(&p->lock);
	held = p->holds;
	pthread_mutex_unlock(&p->lock);
	return held;
}

unsigned int vcpus_nr_holds(struct vm *vm)
{
	struct pause *p = vm->pause;
	unsigned int nr;

	pthread_mutex_lock(&p->lock);
	nr = p->nr_holds;
	pthread_mutex_unlock(&p->lock);
	return nr;
}

void vcpus_when_out(struct vm *vm, struct pause_wait *w)
{
	struct pause *p = vm->pause;

	w->next = p->waiting;
	p->waiting = w;
	if (settled(p))
		tell_loop(p);
}

/*
 * KVM_RUN has just returned -EINTR, so what the exit before it asked for is
 * complete (api.rst, immediate_exit): the registers are all there is.
 */
void pause_park(struct vcpu *vcpu)
{
	struct pause *p = vcpu->vm->pause;

	pthread_mutex_lock(&p->lock);
	if (p->holds && ++p->nr_parked == vcpu->vm->nr_vcpus)
		tell_loop(p);
	else if (!p->holds)
		goto let_in;
	while (p->holds && !p->ending)
		pthread_cond_wait(&p->changed, &p->lock);
	p->nr_parked--;
let_in:
	if (!p->ending)
		__atomic_store_n(&vcpu->run->immediate_exit, 0, __ATOMIC_SEQ_CST);
	pthread_mutex_unlock(&p->lock);
}

void pause_end(struct vm *vm)
{
	struct pause *p = vm->pause;

	pthread_mutex_lock(&p->lock);
	p->ending = true;
	vcpus_kick(vm);
	pthread_cond_broadcast(&p->changed);
	pthread_mutex_unlock(&p->lock);
}

int pause_create(struct pause **pause, struct vm *vm)
{
	struct pause *p = calloc(1, sizeof(*p));

	if (!p)
		return -ENOMEM;
	p->vm = vm;
	p->fd = eventfd(0, EFD_CLOEXEC);
	if (p->fd < 0) {
		int err = -errno;

		free(p);
		return err;
	}
	pthread_mutex_init(&p->lock, NULL);
	pthread_cond_init(&p->changed, NULL);
	p->op = (struct loop_op){ .done = told, .endless = true };
	loop_read(vm->loop, &p->op, p->fd, &p->count, sizeof(p->count));
	*pause = p;
	return 0;
}

void pause_destroy(struct pause *p)
{
	pthread_cond_destroy(&p->changed);
	pthread_mutex_destroy(&p->lock);
	close(p->fd);
	free(p);
}
