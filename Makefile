# SPDX-License-Identifier: GPL-2.0-only
# make run     set everything up, boot a Linux guest     make test   set everything up, run every test
# make check   what needs no guest, in four minutes      make shell  a shell in the lab's host
# make         the program, $(BUILD)/nestor              make soak, bench, install, clean
# KERNEL= INITRD= DISK= PARAMS= ARGS= (run), HOST_KERNEL= (run, shell, test), UAPI= (all): README has them

BUILD   ?= build
VERSION := 0.1
PREFIX  ?= /usr/local

WARNINGS := -Wall -Wextra -Werror -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wvla \
            -Wimplicit-fallthrough -Wpointer-arith
COMMON   := -std=gnu11 -D_GNU_SOURCE -DNESTOR_VERSION='"$(VERSION)"' -I. -MMD -MP
SANITIZE := -fsanitize=address,undefined -fno-sanitize-recover=all

srcs  := $(wildcard vmm/*.c vmm/arm64/*.c fault/*.c devices/*.c devices/*/*.c acpi/*.c fdt/*.c topology/*.c control/*.c vfio/*.c machine/*.c)
units := $(wildcard tests/unit/*.c)
libs  := -lfdt -luring -ljansson -lz -lzstd -pthread

# V=1 shows the commands.
quiet = $(if $(V),,@printf '  %-4s %s\n' $(1) $(2);)

all: $(BUILD)/nestor

# The tools, headers and libraries that lab/setup.sh finds or fetches. It says nothing when all are
# there; the file changes, and everything is built again, only when they do.
ifneq ($(filter-out clean help,$(or $(MAKECMDGOALS),all)),)
include $(BUILD)/env.mk
endif
export UAPI
$(BUILD)/env.mk: FORCE
	@mkdir -p $(@D)
	@lab/setup.sh build env > $@.new
	@cmp -s $@.new $@ && rm $@.new || mv $@.new $@

# arm64, static: it runs in a host that has nothing but a kernel.
arm64-objs := $(srcs:%.c=$(BUILD)/arm64/%.o)
$(BUILD)/arm64/%.o: %.c $(BUILD)/env.mk
	@mkdir -p $(@D)
	$(call quiet,CC,$<)$(CROSS_CC) $(COMMON) $(WARNINGS) -O2 -g $(UAPI_CPPFLAGS) $(SYSROOT_CPPFLAGS) -c $< -o $@
$(BUILD)/nestor: $(arm64-objs)
	$(call quiet,LD,$@)$(CROSS_CC) -static $^ -o $@ $(SYSROOT_LDFLAGS) $(libs)

# The same with the kernel's mock device (--dma-test backend=mock), whose header is in the kernel's source, and no uAPI.
mock-wire := $(BUILD)/arm64/vfio/selftest/wire.o
$(mock-wire): UAPI_CPPFLAGS += -isystem $(LAB_KERNEL_HEADERS)
$(mock-wire): | setup-lab
$(BUILD)/nestor-mock: $(filter-out %/mock_none.o,$(arm64-objs)) $(mock-wire)
	$(call quiet,LD,$@)$(CROSS_CC) -static $^ -o $@ $(SYSROOT_LDFLAGS) $(libs)

# The same sources for arm64 with sanitizers, for hostile guests; the libraries that it loads go beside it.
asan-objs := $(srcs:%.c=$(BUILD)/asan/%.o)
asan-libs := ld-linux-aarch64.so.1 libasan.so.8 libubsan.so.1 libc.so.6 libm.so.6 libgcc_s.so.1 libstdc++.so.6
$(BUILD)/asan/%.o: %.c $(BUILD)/env.mk
	@mkdir -p $(@D)
	$(call quiet,CC,$@)$(CROSS_CC) $(COMMON) $(WARNINGS) -O1 -g $(SANITIZE) $(UAPI_CPPFLAGS) $(SYSROOT_CPPFLAGS) -c $< -o $@
$(BUILD)/asan/nestor: $(asan-objs)
	$(call quiet,LD,$@)$(CROSS_CC) -no-pie $(SANITIZE) $^ -o $@ $(SYSROOT_LDFLAGS) $(libs)
	@mkdir -p $(@D)/lib && cp -L $(foreach l,$(asan-libs),"$$($(CROSS_CC) -print-file-name=$(l))") $(@D)/lib

# The same sources on this machine, with sanitizers: unit tests, and the command line's own tests.
native-objs := $(srcs:%.c=$(BUILD)/native/%.o)
unit-objs   := $(units:%.c=$(BUILD)/native/%.o)
$(unit-objs): WARNINGS += -Wno-missing-prototypes
$(BUILD)/native/%.o: %.c $(BUILD)/env.mk
	@mkdir -p $(@D)
	$(call quiet,CC,$@)$(CC) $(COMMON) $(WARNINGS) -O1 -g $(SANITIZE) $(UAPI_CPPFLAGS) -c $< -o $@
$(BUILD)/native/nestor: $(native-objs)
	$(call quiet,LD,$@)$(CC) $(SANITIZE) $^ -o $@ $(libs)
# Each test is a process of it: what need not be relocated at each start is not.
$(BUILD)/native/unit-tests: $(filter-out %/main.o %/arm64/event.o,$(native-objs)) $(unit-objs)
	$(call quiet,LD,$@)$(CC) -no-pie $(SANITIZE) $^ -o $@ $(libs) -lcriterion

-include guests/bare/bare.mk
include lab/lab.mk
include tests/tests.mk
include bench/bench.mk

install: $(BUILD)/nestor
	install -D -m 755 $(BUILD)/nestor $(DESTDIR)$(PREFIX)/bin/nestor

clean:
	rm -rf $(BUILD)

help:
	@sed -n '2,5s/^# //p' Makefile

FORCE:
.PHONY: all install clean help FORCE
-include $(arm64-objs:.o=.d) $(asan-objs:.o=.d) $(native-objs:.o=.d) $(unit-objs:.o=.d)
