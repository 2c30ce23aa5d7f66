// SPDX-License-Identifier: GPL-2.0-only
/* The host-work thread: slow calls in order, their completion brought back to the loop. */
#include "vmm/work.h"

#include <assert.h>
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "vmm/loop.h"

struct list {
	struct work *first, **last;
};

struct work_queue {
	struct loop *loop;
	pthread_t thread;
	pthread_mutex_t
		mutex; /* over what follows; taken inside the device lock, never around it */
	pthread_cond_t more, idle, ran;
	struct list todo, finished;
	bool busy, ending;
	struct loop_op op;
	u64 count;
	int fd;
};

static void append(struct list *l, struct work *w)
{
	w->next = NULL;
	*l->last = w;
	l->last = &w->next;
}

static struct work *take(struct list *l)
{
	struct work *w = l->first;

	if (!w)
		return NULL;
	l->first = w->next;
	if (!l->first)
		l->last = &l->first;
	return w;
}

/* False: it is not among them. */
static bool remove_work(struct list *l, struct work *w)
{
	struct work **at = &l->first;

	while (*at && *at != w)
		at = &(*at)->next;
	if (!*at)
		return false;
	*at = w->next;
	if (l->last == &w->next)
		l->last = at;
	return true;
}

static struct work *take_finished(struct work_queue *q)
{
	struct work *w;

	pthread_mutex_lock(&q->mutex);
	w = take(&q->finished);
	pthread_mutex_unlock(&q->mutex);
	return w;
}

static void *work_thread(void *arg)
{
	struct work_queue *q = arg;
	u64 one = 1;

	pthread_mutex_lock(&q->mutex);
	for (;;) {
		struct work *w = take(&q->todo);
		ssize_t n;

		q->busy = w;
		if (!w && q->ending)
			break;
		if (!w) {
			pthread_cond_signal(&q->idle);
			pthread_cond_wait(&q->more, &q->mutex);
			continue;
		}
		pthread_mutex_unlock(&q->mutex);
		w->run(w);
		pthread_mutex_lock(&q->mutex);
		append(&q->finished, w);
		pthread_cond_broadcast(&q->ran);
		n = write(q->fd, &one, sizeof(one));
		assert(n == sizeof(one)); /* the loop empties it long before it is full */
		(void)n;
	}
	pthread_mutex_unlock(&q->mutex);
	return NULL;
}

static void call_done(struct work_queue *q)
{
	struct work *w;

	while ((w = take_finished(q)))
		w->done(w);
}

static void finished(struct loop_op *op, int res)
{
	struct work_queue *q = container_of(op, struct work_queue, op);

	if (res < 0)
		return;
	call_done(q);
	loop_read(q->loop, &q->op, q->fd, &q->count, sizeof(q->count));
}

void work_submit(struct work_queue *q, struct work *w)
{
	pthread_mutex_lock(&q->mutex);
	append(&q->todo, w);
	pthread_cond_signal(&q->more);
	pthread_mutex_unlock(&q->mutex);
}

void work_wait(struct work_queue *q, struct work *w)
{
	pthread_mutex_lock(&q->mutex);
	while (!remove_work(&q->finished, w))
		pthread_cond_wait(&q->ran, &q->mutex);
	pthread_mutex_unlock(&q->mutex);
	w->done(w);
}

/* Signals are the loop's: the thread is born with all of them blocked. */
static int start_thread(struct work_queue *q)
{
	sigset_t all, before;
	int err;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	err = pthread_create(&q->thread, NULL, work_thread, q);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	if (!err)
		pthread_setname_np(q->thread, "host-work");
	return -err;
}

int work_create(struct work_queue **queue, struct loop *loop)
{
	struct work_queue *q = calloc(1, sizeof(*q));
	int err;

	if (!q)
		return -ENOMEM;
	q->loop = loop;
	q->todo.last = &q->todo.first;
	q->finished.last = &q->finished.first;
	pthread_mutex_init(&q->mutex, NULL);
	pthread_cond_init(&q->more, NULL);
	pthread_cond_init(&q->idle, NULL);
	pthread_cond_init(&q->ran, NULL);
	q->fd = eventfd(0, EFD_CLOEXEC);
	if (q->fd < 0) {
		err = -errno;
		goto free_queue;
	}
	err = start_thread(q);
	if (err)
		goto close_fd;
	q->op = (struct loop_op){ .done = finished, .endless = true };
	loop_read(loop, &q->op, q->fd, &q->count, sizeof(q->count));
	*queue = q;
	return 0;

close_fd:
	close(q->fd);
free_queue:
	free(q);
	return err;
}

void work_drain(struct work_queue *q)
{
	struct work *w;

	do {
		pthread_mutex_lock(&q->mutex);
		while (q->busy || q->todo.first)
			pthread_cond_wait(&q->idle, &q->mutex);
		w = q->finished.first;
		pthread_mutex_unlock(&q->mutex);
		call_done(q); /* which may submit more */
	} while (w);
}

void work_destroy(struct work_queue *q)
{
	pthread_mutex_lock(&q->mutex);
	q->ending = true;
	pthread_cond_signal(&q->more);
	pthread_mutex_unlock(&q->mutex);
	pthread_join(q->thread, NULL);
	call_done(q);
	close(q->fd);
	pthread_cond_destroy(&q->more);
	pthread_cond_destroy(&q->idle);
	pthread_cond_destroy(&q->ran);
	pthread_mutex_destroy(&q->mutex);
	free(q);
}
