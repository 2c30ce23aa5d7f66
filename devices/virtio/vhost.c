// SPDX-License-Identifier: GPL-2.0-only
/*
 * Starting and stopping a back end that works a device's rings. What the driver
 * wants is noted under the lock; one task at a time brings the back end there.
 */
#include "devices/virtio/vhost.h"

#include <errno.h>
#include <linux/virtio_config.h>
#include <linux/virtio_ring.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "vmm/mem.h"

#define HELD_DEVICE BIT(31)

static void schedule(struct vhost *v);

/* Runs on the work thread: the lock is not held, and only the task is looked at. */
static int set_up_queue(struct vhost *v, unsigned int i, const struct vhost_queue *q)
{
	int err = v->ops->set_vring_num(v, i, q->num);

	if (!err)
		err = v->ops->set_vring_base(v, i, 0);
	if (!err)
		err = v->ops->set_vring_addr(v, i, &q->rings);
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
		if (t->queue[i].enabled)
			err = set_up_queue(v, i, &t->queue[i]);
	return err ? err : v->ops->set_running(v, true);
}

/* Reading its index is what ends a queue's work (vhost-user: "ring states"); a failure ends it too.
 */
static int stop(struct vhost *v, const struct vhost_task *t)
{
	int err = v->ops->set_running(v, false);

	for (unsigned int i = 0; i < v->nr_queues; i++)
		if (t->queue[i].enabled && !err)
			err = v->ops->get_vring_base(v, i);
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

	if (t->start)
		t->err = start(v, t);
	else if (t->stop)
		t->err = stop(v, t);
	else
		t->err = set_calls(v, t);
}

/*
 * The driver did not wait for the back end to start. A kick that came before all
 * was set up may have been taken and forgotten (virtiofsd does): it is repeated.
 */
static void kick_all(const struct vhost_task *t, unsigned int nr)
{
	for (unsigned int i = 0; i < nr; i++)
		if (t->queue[i].enabled)
			eventfd_write(t->queue[i].kick, 1);
}

/* From here on under the lock. */
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
		kick_all(t, v->nr_queues);
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

/* False: the rings are broken. */
static bool plan_start(struct vhost *v)
{
	struct virtio_transport *t = v->dev->transport;

	v->task = (struct vhost_task){ .start = true, .features = v->dev->acked };
	for (unsigned int i = 0; i < v->nr_queues; i++) {
		struct vhost_queue *q = &v->task.queue[i];
		struct virtq *vq = &v->dev->vq[i];

		*q = (struct vhost_queue){ .enabled = vq->enabled, .num = vq->size };
		if (q->enabled && !find_rings(v, vq, &q->rings))
			return false;
		q->kick = t->kick_fd(t, vq);
		q->call = wanted_call(v, vq);
	}
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
	if (!v->wanted)
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

void vhost_finish_reset(struct vhost *v)
{
	while (v->busy)
		work_wait(v->work, &v->job);
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
	struct virtio_transport *t = v->dev->transport;

	eventfd_write(t->kick_fd(t, vq), 1);
}

void vhost_call_changed(struct vhost *v, struct virtq *vq)
{
	if (vq->index < v->nr_queues)
		schedule(v);
}

static void called(struct loop_op *op, int res)
{
	struct vhost_call *c = container_of(op, struct vhost_call, op);
	struct virtio_dev *dev = c->v->dev;

	if (res < 0)
		return;
	if (virtq_is_live(c->vq)) {
		c->vq->interrupts++;
		dev->transport->interrupt(dev->transport, c->vq);
	}
	loop_read(c->v->loop, op, c->fd, &c->count, sizeof(c->count));
}

static void close_all(struct vhost *v)
{
	for (unsigned int i = 0; i < v->nr_queues; i++)
		if (v->calls[i].fd >= 0)
			close(v->calls[i].fd);
	close(v->fd);
}

static int open_calls(struct vhost *v)
{
	int err = 0;

	for (unsigned int i = 0; i < v->nr_queues; i++) {
		struct vhost_call *call = &v->calls[i];

		*call = (struct vhost_call){ .v = v, .vq = &v->dev->vq[i] };
		call->op = (struct loop_op){ .done = called, .endless = true };
		call->fd = err ? -1 : eventfd(0, EFD_CLOEXEC);
		if (!err && call->fd < 0)
			err = -errno;
	}
	return err;
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
	err = open_calls(v);
	if (!err)
		err = v->ops->set_owner(v);
	if (!err)
		err = v->ops->get_features(v, features);
	if (err) {
		close_all(v);
		return err;
	}
	for (unsigned int i = 0; i < v->nr_queues; i++) {
		struct vhost_call *call = &v->calls[i];

		loop_read(v->loop, &call->op, call->fd, &call->count, sizeof(call->count));
	}
	return 0;
}

void vhost_destroy(struct vhost *v)
{
	if (v->running)
		stop(v, &v->task);
	close_all(v);
}
