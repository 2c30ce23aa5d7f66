# SPDX-License-Identifier: GPL-2.0-only
# make bench: figures of Nestor beside its peers'. RUNS=5 repetitions; FIGURES=words: only these; LKVM=path: an lkvm for arm64, static, as a peer too.
# make bench-native: figures of parts of it on this machine, which need no lab.

.PHONY: bench bench-native
export RUNS LKVM FIGURES
bench-dir := $(BUILD)/bench
bench-programs := $(addprefix $(bench-dir)/,clock init reads dma_map stalls asks)
bench-bare := $(addprefix $(bench-dir)/,first-nestor.bin first-qemu.bin mmio-nestor.bin mmio-qemu.bin)

$(bench-dir)/%: bench/%.c $(BUILD)/env.mk
	@mkdir -p $(@D)
	$(call quiet,CC,$@)$(CROSS_CC) $(COMMON) $(WARNINGS) -O2 -static $(UAPI_CPPFLAGS) $(SYSROOT_CPPFLAGS) $< -o $@ $(SYSROOT_LDFLAGS) -luring

# UART: a data register to write, STATUS: a register to read, of the board that it runs on.
board-nestor := -DUART=0x01000000 -DSTATUS=0x01000005
board-qemu   := -DUART=0x09000000 -DSTATUS=0x09000018
bare = $(CROSS_CC) $(board-$(1)) -nostdlib -static -no-pie -Wl,-Ttext=0,-e0,--build-id=none $< -o $@.elf && \
	$(CROSS_CC:gcc=objcopy) -O binary $@.elf $@
$(bench-dir)/%-nestor.bin: bench/bare/%.S $(BUILD)/env.mk
	@mkdir -p $(@D)
	$(call quiet,AS,$@)$(call bare,nestor)
$(bench-dir)/%-qemu.bin: bench/bare/%.S $(BUILD)/env.mk
	@mkdir -p $(@D)
	$(call quiet,AS,$@)$(call bare,qemu)

$(bench-dir)/native/iova: bench/native/iova.c bench/native/figures.h vmm/iova.c vmm/iommu.c vmm/dma.c $(BUILD)/env.mk
	@mkdir -p $(@D)
	$(call quiet,CC,$@)$(CC) $(filter-out -MMD -MP,$(COMMON)) $(WARNINGS) -O2 $(UAPI_CPPFLAGS) $(filter %.c,$^) -o $@

$(bench-dir)/native/smmu: bench/native/smmu.c bench/native/figures.h $(wildcard devices/smmuv3/*.c devices/pgtable/*.c fault/*.c) devices/dma_test_atc.c vmm/coalesce.c vmm/poll.c vmm/dma.c vmm/mmio.c vmm/reg.c vmm/log.c $(BUILD)/env.mk
	@mkdir -p $(@D)
	$(call quiet,CC,$@)$(CC) $(filter-out -MMD -MP,$(COMMON)) $(WARNINGS) -O2 $(UAPI_CPPFLAGS) $(filter %.c,$^) -o $@

$(bench-dir)/native/fault: bench/native/fault.c bench/native/figures.h fault/asker.c fault/bridge.c fault/bridge_pages.c vmm/dma.c vmm/log.c $(BUILD)/env.mk
	@mkdir -p $(@D)
	$(call quiet,CC,$@)$(CC) $(filter-out -MMD -MP,$(COMMON)) $(WARNINGS) -O2 $(UAPI_CPPFLAGS) $(filter %.c,$^) -o $@

# The program for this machine, as it is for arm64: what `dump` takes without an emulator under it.
bench-native-objs := $(srcs:%.c=$(bench-dir)/native/obj/%.o)
$(bench-dir)/native/obj/%.o: %.c $(BUILD)/env.mk
	@mkdir -p $(@D)
	$(call quiet,CC,$@)$(CC) $(COMMON) $(WARNINGS) -O2 -g $(UAPI_CPPFLAGS) -c $< -o $@
$(bench-dir)/native/nestor: $(bench-native-objs)
	$(call quiet,LD,$@)$(CC) -static $^ -o $@ $(libs)
$(bench-dir)/native/clock: bench/clock.c
	@mkdir -p $(@D)
	$(call quiet,CC,$@)$(CC) $(filter-out -MMD -MP,$(COMMON)) $(WARNINGS) -O2 $< -o $@
-include $(bench-native-objs:.o=.d)

# dump: the median of nine runs, into memory.
bench-native: $(bench-dir)/native/iova $(bench-dir)/native/smmu $(bench-dir)/native/fault $(bench-dir)/native/nestor $(bench-dir)/native/clock
	@$(bench-dir)/native/iova && $(bench-dir)/native/smmu && $(bench-dir)/native/fault
	@told=$$(mktemp -d /dev/shm/told.XXXXXX) && for i in 1 2 3 4 5 6 7 8 9; do \
		bench/dump.sh $(bench-dir)/native/clock $(bench-dir)/native/nestor $$told; \
	done | sort -n | awk '{ v[NR] = $$1; if ($$2 > rss) rss = $$2 } END { print "dump", v[5], "ms"; print "dump-rss", rss, "MiB" }'; \
	rm -rf "$$told"

bench: bench-native $(BUILD)/nestor $(bench-programs) $(bench-bare) $(addprefix $(BUILD)/,guests/viommu_pages.bin nestor-mock queue dmatest_sva.ko dmatest_vpri.ko) $(BUILD)/traffic $(BUILD)/tap setup-lab
	@bench/run.sh
