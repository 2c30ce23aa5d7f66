// SPDX-License-Identifier: GPL-2.0-only
/* Traces and events as lines of JSON. */
#include "control/json_log.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

/* A disk that is full, or a reader that has gone, does not stop the guest. */
static void write_line(struct json_log *log, json_t *object)
{
	char *text = json_dumps(object, JSON_COMPACT | JSON_ENSURE_ASCII | JSON_REAL_PRECISION(16));
	char *line = text ? realloc(text, strlen(text) + 2) : NULL;

	if (line) {
		strcat(line, "\n");
		(void)!write(log->fd, line, strlen(line));
	}
	free(line ? line : text);
	json_decref(object);
}

static json_t *begin(const char *topic)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	return json_pack("{s:i, s:f, s:s}", "schema", 1, "time", now.tv_sec + now.tv_nsec / 1e9,
	                 "topic", topic);
}

static void trace_line(struct log_sink *sink, enum log_topic topic, const char *text)
{
	json_t *line = begin(log_topic_names[topic]);

	/* What a guest had a hand in may be no UTF-8. */
	if (json_object_set_new(line, "text", json_string(text)))
		json_object_set_new(line, "text", json_string("(not UTF-8)"));
	write_line(container_of(sink, struct json_log, sink), line);
}

void json_log_event(struct json_log *log, const char *name, json_t *data)
{
	json_t *line = begin("guest");

	json_object_set_new(line, "event", json_string(name));
	if (data)
		json_object_set(line, "data", data);
	write_line(log, line);
}

int json_log_open(struct json_log *log, const char *path)
{
	*log = (struct json_log){ .sink.line = trace_line };
	log->fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NONBLOCK, 0644);
	return log->fd < 0 ? -errno : 0;
}

/* A pipe has nothing to empty; its reader may be slow once it is there. */
void json_log_begin(struct json_log *log)
{
	(void)!ftruncate(log->fd, 0);
	fcntl(log->fd, F_SETFL, O_APPEND);
}

void json_log_close(struct json_log *log)
{
	close(log->fd);
}
