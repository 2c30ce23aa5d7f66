// SPDX-License-Identifier: GPL-2.0-only
/* nestor check: whether this host can run a guest, give it devices, nest, and deliver faults
 * (docs/json/check.json). */
#include "machine/check.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "machine/check_rows.h"
#include "machine/devices.h"
#include "machine/status.h"
#include "vmm/kvm.h"
#include "vmm/log.h"

static const char *const state_names[] = { "ok", "lacks", "unknown" };
static const char *const part_names[] = { "run", "assign", "nest", "faults" };

/* The place of one that is tried for @iommu: that of the one before, or a new one. NULL: one was
 * bound, which has told all. */
static struct tried *place_for(struct checker *c, const char *iommu)
{
	for (unsigned int i = 0; i < c->nr; i++) {
		struct tried *t = &c->tried[i];

		if (!strcmp(t->function->iommu, iommu))
			return t->probe.result[VFIO_STEP_BIND] ? t : NULL;
	}
	return &c->tried[c->nr++];
}

/* What only a bound function tells: the first of each IOMMU that is ready, and can be. */
static void try_functions(struct checker *c)
{
	struct uapi u = { .ops = c->host->uapi, .log = c->log };

	u.iommufd = u.ops->open(&u, "/dev/iommu");
	c->iommufd = u.iommufd < 0 ? u.iommufd : 0;
	if (c->iommufd)
		return;
	u.ops->close(&u, u.iommufd);
	c->tried = calloc(c->functions.nr + 1, sizeof(*c->tried));
	for (size_t i = 0; c->tried && i < c->functions.nr; i++) {
		const struct host_function *f = &c->functions.list[i];
		struct tried *t = NULL;

		if (host_function_ready(&c->functions, f))
			t = place_for(c, f->iommu);
		if (!t)
			continue;
		t->function = f;
		c->iommufd = vfio_probe(&t->probe, &u, f->cdev, NULL);
		if (c->iommufd) {
			c->nr = 0;
			return;
		}
	}
}

/* Where findings go. */
struct report {
	enum state parts[NR_PARTS];
	json_t *list; /* NULL: text */
	FILE *to;
};

static void worsen(enum state *part, enum state by)
{
	if (*part == CHECK_OK || by == CHECK_LACKS)
		*part = by;
}

static void tell(struct report *r, const struct check *check, const char *iommu,
                 const struct finding *f)
{
	json_t *o;

	worsen(&r->parts[check->part], f->state);
	if (!r->list) {
		fprintf(r->to, "%-7s %-9s %-8s %s%s%s\n", part_names[check->part], check->name,
		        state_names[f->state], iommu ?: "", iommu ? ": " : "", f->text);
		return;
	}
	o = json_pack("{s:s, s:s, s:s, s:s, s:s*}", "part", part_names[check->part], "name",
	              check->name, "state", state_names[f->state], "text", f->text, "iommu", iommu);
	json_array_append_new(r->list, o);
}

static void run_check(const struct checker *c, const struct check *check, struct report *r)
{
	struct finding f;

	for (unsigned int i = 0; check->iommu && i < c->nr; i++) {
		check->iommu(&c->tried[i], &f);
		tell(r, check, c->tried[i].function->iommu, &f);
	}
	if (check->iommu && c->nr)
		return;
	(check->host ?: check->untried)(c, &f);
	tell(r, check, NULL, &f);
}

static void end_report(struct report *r)
{
	json_t *root;

	if (!r->list) {
		for (unsigned int i = 0; i < NR_PARTS; i++)
			fprintf(r->to, "%s: %s\n", part_names[i], state_names[r->parts[i]]);
		return;
	}
	root = json_pack("{s:i, s:o}", "schema", 1, "checks", r->list);
	for (unsigned int i = 0; i < NR_PARTS; i++)
		json_object_set_new(root, part_names[i], json_string(state_names[r->parts[i]]));
	json_dumpf(root, r->to, JSON_INDENT(1));
	fputc('\n', r->to);
	json_decref(root);
}

int check_show(const struct check_host *host, struct log *log, bool json, FILE *to)
{
	struct checker c = { .host = host, .log = log };
	struct report r = { .list = json ? json_array() : NULL, .to = to };

	host_functions_read(&c.functions, host->sys); /* no PCI is no function */
	try_functions(&c);
	for (size_t i = 0; i < nr_checks; i++)
		run_check(&c, &checks[i], &r);
	end_report(&r);
	free(c.tried);
	host_functions_free(&c.functions);
	if (!flushed(to))
		return STATUS_HOST_FAILED;
	return r.parts[PART_RUN] == CHECK_OK ? 0 : STATUS_HOST_LACKS;
}

static bool take_trace(struct log *log, const char *topics)
{
	if (log_enable(log, topics))
		return true;
	log_error("check: --trace %s: expected topics out of " LOG_TOPICS, topics);
	return false;
}

/* False: a line was printed. */
static bool parse(int argc, char **argv, struct log *log, bool *json)
{
	for (int i = 0; i < argc; i++) {
		const char *topics = NULL;

		if (!strncmp(argv[i], "--trace=", 8))
			topics = argv[i] + 8;
		else if (!strcmp(argv[i], "--trace") && i + 1 < argc)
			topics = argv[++i];
		if (topics ? !take_trace(log, topics) : strcmp(argv[i], "--json") != 0) {
			if (!topics)
				log_error("check: %s: expected --json or --trace TOPIC,...",
				          argv[i]);
			return false;
		}
		*json |= !topics;
	}
	return true;
}

int command_check(int argc, char **argv)
{
	static const struct check_host host = { "/sys", "/proc/config.gz", &kvm_host, &uapi_host };
	struct log log = { 0 };
	bool json = false;

	if (!parse(argc, argv, &log, &json))
		return STATUS_USAGE;
	return check_show(&host, &log, json, stdout);
}
