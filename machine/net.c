// SPDX-License-Identifier: GPL-2.0-only
/* --network: a tap interface or passt, opened before the guest exists; then virtio-net. */
#include "machine/net.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "devices/virtio/net.h"
#include "devices/virtio/net_tap.h"
#include "machine/helper.h"
#include "machine/machine.h"
#include "machine/place.h"
#include "machine/status.h"

/* Six pairs of digits; sscanf alone would take a sign, or a space, for one. */
static bool parse_mac(u8 *mac, const char *text)
{
	for (unsigned int i = 0; i < NET_MAC_LEN; i++, text += 3)
		if (strspn(text, "0123456789abcdefABCDEF") != 2 ||
		    text[2] != (i + 1 < NET_MAC_LEN ? ':' : 0) ||
		    sscanf(text, "%2hhx", &mac[i]) != 1)
			return false;
	return true;
}

static const char *take_mac(struct net_option *net, const char *text)
{
	static const char expected[] = "mac=XX:XX:XX:XX:XX:XX, of one interface and not zero";
	static const u8 zero[NET_MAC_LEN];

	if (!parse_mac(net->mac, text))
		return expected;
	net->has_mac = true;
	return net->mac[0] & 1 || !memcmp(net->mac, zero, sizeof(zero)) ? expected : NULL;
}

/* What may be said of a network, behind its first word or, in lkvm's spelling, as that. */
struct words {
	struct place place;
	const char *mac, *guest_mac, *mode, *tapif;
	u64 queues;
};

/* lkvm's words: [mode=tap,]tapif=NAME or mode=user, which passt is. */
static const char *take_lkvm(struct net_option *net, const struct words *w)
{
	bool tap = !w->mode || !strcmp(w->mode, "tap");

	if (!tap && strcmp(w->mode, "user"))
		return "mode=tap,tapif=NAME, mode=user or mode=none";
	if (tap && !w->tapif)
		return "mode=tap,tapif=NAME: a tap interface that exists";
	net->passt = !tap;
	net->tap = tap ? w->tapif : NULL;
	return NULL;
}

static const char *take_keys(struct options *o, struct net_option *net, struct words *w, char *rest)
{
	static const struct key keys[] = {
		PLACE_KEYS(struct words),
		{ "mac", KEY_TEXT, offsetof(struct words, mac), 0, 0 },
		{ "queues", KEY_NUMBER, offsetof(struct words, queues), 1, NET_MAX_PAIRS },
		{ "mode", KEY_TEXT, offsetof(struct words, mode), 0, 0 },
		{ "tapif", KEY_TEXT, offsetof(struct words, tapif), 0, 0 },
		{ "guest_mac", KEY_TEXT, offsetof(struct words, guest_mac), 0, 0 },
	};
	const char *expected = NULL;

	if (rest)
		expected = keys_parse(rest, keys, ARRAY_SIZE(keys), w, o->why, sizeof(o->why));
	net->place = w->place;
	net->queues = w->queues;
	if (!w->mac)
		w->mac = w->guest_mac;
	if (!expected && !net->tap && !net->passt)
		expected = take_lkvm(net, w);
	else if (!expected && (w->tapif || w->mode))
		expected = "mode= and tapif= without tap=NAME or passt before them";
	if (!expected && w->mac)
		expected = take_mac(net, w->mac);
	if (!expected && net->passt && net->queues > 1)
		expected = "queues=1: passt has one queue";
	return expected;
}

/* The first word. False: it is no network's. */
static bool take_word(struct net_option *net, struct words *w, const char *word)
{
	static const struct {
		const char *key;
		size_t offset;
	} lkvm[] = {
		{ "mode=", offsetof(struct words, mode) },
		{ "tapif=", offsetof(struct words, tapif) },
		{ "guest_mac=", offsetof(struct words, guest_mac) },
	};

	net->passt = !strcmp(word, "passt");
	if (net->passt)
		return true;
	if (!strncmp(word, "tap=", 4) && word[4]) {
		net->tap = word + 4;
		return true;
	}
	for (size_t i = 0; i < ARRAY_SIZE(lkvm); i++) {
		size_t len = strlen(lkvm[i].key);

		if (strncmp(word, lkvm[i].key, len) || !word[len])
			continue;
		*(const char **)((char *)w + lkvm[i].offset) = word + len;
		return true;
	}
	return false;
}

const char *net_option_take(struct options *o, char *val)
{
	struct net_option *net = &o->nets[o->nr_nets];
	struct words words = { .queues = 1 };
	const char *expected = keys_contradiction(val, o->why, sizeof(o->why));
	char *rest;

	if (expected)
		return expected;
	rest = keys_rest(val);
	if (!rest && (!strcmp(val, "none") || !strcmp(val, "mode=none")))
		return NULL;
	if (o->nr_nets == MAX_NETS)
		return "at most 32 networks";
	*net = (struct net_option){ .said = val };
	if (!take_word(net, &words, val))
		return "tap=NAME, passt or none";
	o->nr_nets++;
	expected = place_claim(o, "network", val, &net->place);
	return expected ? expected : take_keys(o, net, &words, rest);
}

static const char *expected_of(const struct net_option *o, int err)
{
	if (err == -EBUSY)
		return "a tap interface that nothing else has open";
	if (err == -EPERM || err == -EACCES)
		return "a tap interface that this user may open";
	if (o->queues > 1)
		return "a tap interface that was made with multi_queue";
	return "a tap interface";
}

static int open_tap(const struct net_option *o, struct net_backend **b)
{
	enum net_tap_step step;
	int err = net_tap_open(b, o->tap, o->queues, &step);
	const char *why = strerror(-err);

	if (!err)
		return 0;
	switch (step) {
	case NET_TAP_NAME:
		log_error("--network %s: %s: expected a tap interface that exists, as from ip "
		          "tuntap add mode tap %s",
		          o->said, why, o->tap);
		return STATUS_USAGE;
	case NET_TAP_ATTACH:
		log_error("--network %s: %s: expected %s", o->said, why, expected_of(o, err));
		return STATUS_USAGE;
	default:
		log_error("--network %s: /dev/net/tun: %s: expected a host with tap interfaces, "
		          "and access to them",
		          o->said, why);
		return STATUS_HOST_LACKS;
	}
}

int nets_open(struct machine *m)
{
	int status = 0;

	for (unsigned int i = 0; i < m->options->nr_nets && !status; i++) {
		const struct net_option *o = &m->options->nets[i];

		if (!o->passt)
			status = open_tap(o, &m->nets[i]);
	}
	return status;
}

int nets_start(struct machine *m)
{
	int status = 0;

	for (unsigned int i = 0; i < m->options->nr_nets && !status; i++)
		if (m->options->nets[i].passt)
			status = passt_open(&m->nets[i], &m->net_helpers[i], &m->log);
	return status;
}

void nets_close(struct machine *m)
{
	for (unsigned int i = 0; i < MAX_NETS; i++)
		if (m->nets[i])
			m->nets[i]->ops->destroy(m->nets[i]);
	for (unsigned int i = 0; i < MAX_NETS; i++)
		helper_stop(m->net_helpers[i]);
}

/* FNV-1a. */
static u64 hash(u64 sum, const char *text)
{
	for (; *text; text++)
		sum = (sum ^ (u8)*text) * 0x100000001b3;
	return sum;
}

/*
 * The same at each run, and another for each guest of a host: out of the
 * guest's name, or where nobody gave one out of the tap's, which no two have.
 */
static void default_mac(u8 *mac, const struct options *o, unsigned int index)
{
	const char *tap = o->nets[index].tap;
	const char nth[] = { '0' + index, 0 };
	u64 sum = hash(0xcbf29ce484222325, o->name ? o->name : "");

	sum = hash(sum, tap ? tap : nth);
	mac[0] = 0x02; /* locally administered (IEEE 802, 8.2.2) */
	for (unsigned int i = 1; i < NET_MAC_LEN; i++)
		mac[i] = sum >> 8 * i;
}

struct net_device {
	struct virtio_dev *dev;
	const struct net_option *option;
	struct net_watcher watcher;
	struct helper_watcher helper;
	bool told; /* that its link is down for good */
};

static void link_down(struct net_device *d, const char *why)
{
	if (!d->told)
		log_error("--network %s: %s: the guest's link is down", d->option->said, why);
	d->told = true;
	net_set_link(d->dev, false);
}

/* Of a helper that ends, its connection ends first: what it says of itself says more. */
static void lost(struct net_watcher *w, int err)
{
	struct net_device *d = container_of(w, struct net_device, watcher);

	if (!d->option->passt || err == -EPROTO)
		link_down(d, strerror(-err));
}

static void helper_ended(struct helper_watcher *w, const char *how)
{
	link_down(container_of(w, struct net_device, helper), how);
}

static void destroy_net(void *device)
{
	struct net_device *d = device;

	net_destroy(d->dev);
	free(d);
}

static int create_net(struct machine *m, unsigned int i)
{
	const struct net_option *o = &m->options->nets[i];
	struct net_device *d = calloc(1, sizeof(*d));
	struct net_config c = { .backend = m->nets[i] };
	struct dma_space *dma;
	int err;

	if (!d)
		return -ENOMEM;
	*d = (struct net_device){ .option = o, .watcher = { lost }, .helper = { helper_ended } };
	c.watcher = &d->watcher;
	if (o->has_mac)
		memcpy(c.mac, o->mac, NET_MAC_LEN);
	else
		default_mac(c.mac, m->options, i);
	err = machine_dma(m, &o->place, &dma);
	if (!err)
		err = net_create(&d->dev, m->vm.loop, dma, &m->log, &c);
	if (err) {
		free(d);
		return err;
	}
	m->nets[i] = NULL;
	if (m->net_helpers[i])
		helper_watch(m->net_helpers[i], m->vm.loop, &d->helper);
	err = machine_own(m, destroy_net, d);
	return err ? err : machine_add_virtio(m, d->dev, &o->place);
}

int nets_check(struct machine *m)
{
	int status = 0;

	for (unsigned int i = 0; i < MAX_NETS && !status; i++)
		if (m->net_helpers[i])
			status = helper_check(m->net_helpers[i], 0);
	return status;
}

int nets_create(struct machine *m)
{
	int err = 0;

	for (unsigned int i = 0; i < m->options->nr_nets && !err; i++)
		err = create_net(m, i);
	return err;
}
