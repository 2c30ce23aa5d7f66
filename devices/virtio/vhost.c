// SPDX-License-Identifier: GPL-2.0-only
/*
 * Starting and stopping a back end that works a device's rings. What the driver
 * wants is noted under the lock; one task at a time brings the back end there.
 */
#include "devices/virtio/vhost.h"

#include <errno.h>
#include <linux/virtio_config.h>
#include <linux/virtio_ring.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/uio.h>
#include <unistd.h>

#include "vmm/mem.h"

#define HELD_DEVICE BIT(31)

static void schedule(struct vhost *v);

/* Runs on the work thread: the lock is not held, and only the task is looked at. */
static int set_up_queue(struct vhost *v, unsigned int i, const struct vhost_queue *q)
{
	int err = v->ops->set_vring_num(v, i, q->num);

	if (!err)
		err = v->ops->set_vring_base(v, i, q->base);
	if (!err)
		err = v->ops->set_vring_addr(v, i, &q->rings);
	if (!err)
		err = v->ops->set_vring_err(v, i, v->error.fd);
	if (!err)
		err = v->ops->set_vring_call(v, i, q->call);
	if (!err)
		err = v->ops->set_vring_kick(v, i, q->kick);
	return err;
}

static int start(struct vhost *v, const struct vhost_task *t)
{
	int err = v->ops->set_features(v, t->features);

	if (!err)
		err = v->ops->set_mem_table(v, v->mem);
	for (unsigned int i = 0; i < v->nr_queues && !err; i++)
		if (t->queue[i].enabled || v->ops->runs_all)
			err = set_up_queue(v, i, &t->queue[i]);
	return err ? err : v->ops->set_running(v, true);
}

/*
 * Reading its index is what ends a queue's work (vhost-user: "ring states"); a
 * failure ends it too. It goes on from there, unless the driver resets.
 */
static int stop(struct vhost *v, struct vhost_task *t)
{
	int err = v->ops->set_running(v, false);

	for (unsigned int i = 0; i < v->nr_queues; i++)
		if (t->queue[i].enabled && !err)
			err = v->ops->get_vring_base(v, i, &t->queue[i].base);
	return err;
}

static int set_calls(struct vhost *v, const struct vhost_task *t)
{
	int err = 0;

	for (unsigned int i = 0; i < v->nr_queues && !err; i++)
		if (t->queues & BIT(i))
			err = v->ops->set_vring_call(v, i, t->queue[i].call);
	return err;
}

static void run_task(struct work *w)
{
	struct vhost *v = container_of(w, struct vhost, job);
	struct vhost_task *t = &v->task;

	v->ops->begin(v);
	if (t->start)
		t->err = start(v, t);
	else if (t->stop)
		t->err = stop(v, t);
	else
		t->err = set_calls(v, t);
}

/*
 * From here on under the lock. The back end has the eventfd too, and may have
 * filled it, when a write waits until somebody reads: so the kernel writes it for
 * the loop, and a kick that comes before it has follows.
 */
static void kick(struct vhost_call *c)
{
	static const u64 one = 1;
	struct virtio_transport *t = c->v->dev->transport;

	c->kick_again = c->kicking;
	if (c->kicking)
		return;
	c->kicking = true;
	loop_write(c->v->loop, &c->kick_op, t->kick_fd(t, c->vq), &one, sizeof(one));
}

static void kicked(struct loop_op *op, int res)
{
	struct vhost_call *c = container_of(op, struct vhost_call, kick_op);

	c->kicking = false;
	if (c->kick_again && res != -ECANCELED)
		kick(c);
}

/*
 * The driver did not wait for the back end to start. A kick that came before all
 * was set up may have been taken and forgotten (virtiofsd does): it is repeated.
 */
static void kick_all(struct vhost *v)
{
	for (unsigned int i = 0; i < v->nr_queues; i++)
		if (v->task.queue[i].enabled)
			kick(&v->calls[i]);
}

void vhost_lost(struct vhost *v, int err)
{
	if (v->failed)
		return;
	v->failed = true;
	trace(v->log, TRACE_VIRTIO, "%s: the back end fails: %d", v->dev->type->name, err);
	if (v->dev->status & VIRTIO_CONFIG_S_DRIVER_OK)
		virtio_needs_reset(v->dev);
	if (v->watcher)
		v->watcher->failed(v->watcher, err);
}

/* The same as virtq_push() at the end of the last request in flight. */
static void let_go(struct vhost *v)
{
	u32 held = v->held;

	v->held = 0;
	for (unsigned int i = 0; i < v->nr_queues; i++) {
		struct virtq *vq = &v->dev->vq[i];

		if (!(held & BIT(i)))
			continue;
		if (!--vq->in_flight && vq->resetting)
			virtq_reset(vq);
		virtio_finished(v->dev);
	}
	if (held & HELD_DEVICE)
		virtio_finished(v->dev);
}

static void task_done(struct work *w)
{
	struct vhost *v = container_of(w, struct vhost, job);
	struct vhost_task *t = &v->task;

	v->busy = false;
	if (t->start)
		v->running = !t->err;
	if (t->start && v->running)
		kick_all(v);
	if (t->stop)
		v->running = false;
	if (t->err)
		vhost_lost(v, t->err);
	schedule(v);
}

/* 2.7: where the rings are and how they are aligned. What is not in RAM, the driver cannot mean. */
static bool find_rings(const struct vhost *v, const struct virtq *vq, struct vhost_rings *r)
{
	const u64 size = vq->size;

	r->desc = guest_ptr(v->mem, vq->desc, size * sizeof(struct vring_desc));
	r->avail = guest_ptr(v->mem, vq->avail, 6 + size * 2);
	r->used = guest_ptr(v->mem, vq->used, 6 + size * sizeof(struct vring_used_elem));
	return r->desc && r->avail && r->used && vq->desc % VRING_DESC_ALIGN_SIZE == 0 &&
	       vq->avail % VRING_AVAIL_ALIGN_SIZE == 0 && vq->used % VRING_USED_ALIGN_SIZE == 0;
}

static int wanted_call(const struct vhost *v, struct virtq *vq)
{
	struct virtio_transport *t = v->dev->transport;
	int fd = t->call_fd(t, vq);

	return fd < 0 ? v->calls[vq->index].fd : fd;
}

/*
 * Of a queue that the driver leaves alone: where nothing is ever available. A back
 * end that runs all queues at once would go on with an earlier driver's rings.
 */
static struct vhost_queue empty_queue(struct vhost *v)
{
	return (struct vhost_queue){
		.num = 1,
		.rings = { v->empty.desc, v->empty.avail, v->empty.used },
		.kick = -1,
		.call = -1,
	};
}

/* False: the rings are broken. */
static bool plan_queue(struct vhost *v, unsigned int i)
{
	struct virtio_transport *t = v->dev->transport;
	struct vhost_queue *q = &v->task.queue[i];
	struct virtq *vq = &v->dev->vq[i];
	const u16 base = v->goes_on ? q->base : 0;

	*q = empty_queue(v);
	if (!vq->enabled)
		return true;
	*q = (struct vhost_queue){ .enabled = true, .num = vq->size, .base = base };
	q->kick = t->kick_fd(t, vq);
	q->call = wanted_call(v, vq);
	return find_rings(v, vq, &q->rings);
}

/* Whether an error was told of since. Who has the descriptor too can take
 * O_NONBLOCK away from it. */
static bool take_error(struct vhost *v)
{
	struct iovec iov = { &v->error.count, sizeof(v->error.count) };

	return preadv2(v->error.fd, &iov, 1, -1, RWF_NOWAIT) > 0;
}

/* False: the rings are broken. */
static bool plan_start(struct vhost *v)
{
	v->task.start = true;
	v->task.stop = false;
	v->task.features = v->dev->acked;
	for (unsigned int i = 0; i < v->nr_queues; i++)
		if (!plan_queue(v, i))
			return false;
	v->goes_on = true;
	take_error(v); /* what an earlier run met is nobody's any more */
	return true;
}

/* What the last task left as it is, to where interrupts go now. */
static bool plan_calls(struct vhost *v)
{
	v->task.start = v->task.stop = false;
	v->task.queues = 0;
	for (unsigned int i = 0; i < v->nr_queues; i++) {
		struct vhost_queue *q = &v->task.queue[i];
		int fd = wanted_call(v, &v->dev->vq[i]);

		if (!q->enabled || q->call == fd)
			continue;
		q->call = fd;
		v->task.queues |= BIT(i);
	}
	return v->task.queues;
}

static bool plan_stop(struct vhost *v)
{
	v->task.start = false;
	v->task.stop = true;
	return true;
}

static bool plan(struct vhost *v)
{
	if (!v->wanted || v->dev->held)
		return v->running && plan_stop(v);
	if (v->failed)
		return false;
	if (v->running)
		return plan_calls(v);
	if (plan_start(v))
		return true;
	v->wanted = false;
	virtio_needs_reset(v->dev);
	return false;
}

static void schedule(struct vhost *v)
{
	if (v->busy)
		return;
	if (plan(v)) {
		v->busy = true;
		v->job = (struct work){ .run = run_task, .done = task_done };
		work_submit(v->work, &v->job);
	} else if (!v->wanted) {
		let_go(v);
	}
}

void vhost_driver_ok(struct virtio_dev *dev, struct vhost *v)
{
	if (v->failed) {
		virtio_needs_reset(dev);
		return;
	}
	v->wanted = true;
	v->goes_on = false;
	schedule(v);
}

/* Holds the reset back until the back end has stopped. */
void vhost_reset(struct vhost *v)
{
	v->wanted = false;
	v->dev->in_flight++;
	v->held |= HELD_DEVICE;
	schedule(v);
}

void vhost_queue_reset(struct vhost *v, struct virtq *vq)
{
	if (vq->index >= v->nr_queues || v->held & BIT(vq->index))
		return;
	v->wanted = false;
	vq->in_flight++;
	v->dev->in_flight++;
	v->held |= BIT(vq->index);
	schedule(v);
}

void vhost_notify(struct vhost *v, struct virtq *vq)
{
	kick(&v->calls[vq->index]);
}

void vhost_call_changed(struct vhost *v, struct virtq *vq)
{
	if (vq->index < v->nr_queues)
		schedule(v);
}

/* One without Bus Master Enable may have done its last work before: that is
 * pending (PCIe 6.1.4). */
static bool interrupts(const struct virtq *vq)
{
	return vq->dev->status & VIRTIO_CONFIG_S_DRIVER_OK && !vq->dev->resetting && vq->enabled &&
	       !vq->resetting;
}

static void called(struct loop_op *op, int res)
{
	struct vhost_call *c = container_of(op, struct vhost_call, op);
	struct virtio_dev *dev = c->v->dev;

	if (res < 0)
		return;
	if (interrupts(c->vq)) {
		c->vq->interrupts++;
		dev->transport->interrupt(dev->transport, c->vq);
	}
	loop_read(c->v->loop, op, c->fd, &c->count, sizeof(c->count));
}

/* The back end has met what is no ring: as if we had read it (2.1.2). */
static void errored(struct loop_op *op, int res)
{
	struct vhost *v = container_of(op, struct vhost, error.op);

	if (res < 0)
		return;
	if (take_error(v) && v->wanted)
		virtio_needs_reset(v->dev);
	loop_poll(v->loop, op, v->error.fd, POLLIN);
}

static void close_all(struct vhost *v)
{
	for (unsigned int i = 0; i < v->nr_queues; i++)
		if (v->calls[i].fd >= 0)
			close(v->calls[i].fd);
	if (v->error.fd >= 0)
		close(v->error.fd);
	close(v->fd);
}

static int open_eventfd(int *fd, int err)
{
	*fd = err ? -1 : eventfd(0, EFD_CLOEXEC);
	return !err && *fd < 0 ? -errno : err;
}

static int open_eventfds(struct vhost *v)
{
	int err = open_eventfd(&v->error.fd, 0);

	v->error.op = (struct loop_op){ .done = errored, .endless = true };
	for (unsigned int i = 0; i < v->nr_queues; i++) {
		struct vhost_call *call = &v->calls[i];

		*call = (struct vhost_call){ .v = v, .vq = &v->dev->vq[i] };
		call->op = (struct loop_op){ .done = called, .endless = true };
		call->kick_op = (struct loop_op){ .done = kicked, .endless = true };
		err = open_eventfd(&call->fd, err);
	}
	return err;
}

static void watch(struct vhost *v)
{
	for (unsigned int i = 0; i < v->nr_queues; i++) {
		struct vhost_call *call = &v->calls[i];

		loop_read(v->loop, &call->op, call->fd, &call->count, sizeof(call->count));
	}
	loop_poll(v->loop, &v->error.op, v->error.fd, POLLIN);
}

int vhost_init(struct vhost *v, const struct vhost_config *c, u64 *features)
{
	int err;

	*v = (struct vhost){
		.ops = c->ops,
		.fd = c->fd,
		.log = c->log,
		.dev = c->dev,
		.nr_queues = c->nr_queues,
		.loop = c->loop,
		.work = c->work,
		.mem = c->mem,
		.watcher = c->watcher,
	};
	err = open_eventfds(v);
	if (!err)
		err = v->ops->set_owner(v);
	if (!err)
		err = v->ops->get_features(v, features);
	if (err)
		close_all(v);
	else
		watch(v);
	return err;
}

void vhost_destroy(struct vhost *v)
{
	v->ops->begin(v);
	if (v->running)
		stop(v, &v->task);
	close_all(v);
}
