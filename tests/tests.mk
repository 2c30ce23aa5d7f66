# SPDX-License-Identifier: GPL-2.0-only
# The tests: what each target runs, and in which order. Results are lines; tests/run.sh counts them.

test-results := $(BUILD)/test
export BUILD

# A terminal for the host's scenarios.
$(BUILD)/pty: tests/host/pty.c $(BUILD)/env.mk
	$(call quiet,CC,$@)$(CROSS_CC) $(COMMON) $(WARNINGS) -O2 -static $< -o $@

# The writer whose host dies.
$(BUILD)/crash: guests/linux/crash.c $(BUILD)/env.mk
	$(call quiet,CC,$@)$(CROSS_CC) $(COMMON) $(WARNINGS) -O2 -static $< -o $@ -pthread

# Traffic, and the tap interfaces it goes through.
$(BUILD)/traffic: guests/linux/traffic.c $(BUILD)/env.mk
	$(call quiet,CC,$@)$(CROSS_CC) $(COMMON) $(WARNINGS) -O2 -static $< -o $@
$(BUILD)/tap: tests/host/tap.c $(BUILD)/env.mk
	$(call quiet,CC,$@)$(CROSS_CC) $(COMMON) $(WARNINGS) -O2 -static $< -o $@

# The DMA endpoint, from user space in the guest, and another kernel in place of one.
endpoint-programs := $(addprefix $(BUILD)/,dma nest kexec stall sva churn ats vpri)
$(endpoint-programs): $(BUILD)/%: guests/linux/%.c $(wildcard guests/linux/*.h) $(BUILD)/env.mk
	$(call quiet,CC,$@)$(CROSS_CC) $(COMMON) $(WARNINGS) -O2 -static $(UAPI_CPPFLAGS) $< -o $@ -pthread

# Its drivers, for the memory of processes.
$(addprefix $(BUILD)/dmatest_,sva.ko vpri.ko) &: $(wildcard guests/linux/driver/*) $(BUILD)/env.mk | setup-lab
	$(call quiet,MOD,$@)$(MAKE) -s -C $(LAB_MODULES) ARCH=arm64 CROSS_COMPILE=$(CROSS_CC:gcc=) \
		M=$(abspath guests/linux/driver) MO=$(abspath $(BUILD)/driver) KBUILD_MODPOST_WARN=1 modules >$(BUILD)/driver.log 2>&1 || \
		{ cat $(BUILD)/driver.log; false; }
	@cp $(BUILD)/driver/*.ko $(BUILD)

# A disk with large blocks.
$(BUILD)/blocks: tests/host/blocks.c $(BUILD)/env.mk
	$(call quiet,CC,$@)$(CROSS_CC) $(COMMON) $(WARNINGS) -O2 -static $< -o $@

# One command on a control socket.
$(BUILD)/qmp: tests/host/qmp.c $(BUILD)/env.mk
	$(call quiet,CC,$@)$(CROSS_CC) $(COMMON) $(WARNINGS) -O2 -static $< -o $@

# Of the program's parts: a card with an interrupt of its own; calls of iommufd and vfio.
$(BUILD)/arm64/tests/host/%.o: tests/host/%.c $(BUILD)/env.mk
	@mkdir -p $(@D)
	$(call quiet,CC,$<)$(CROSS_CC) $(COMMON) $(WARNINGS) -O2 -g $(UAPI_CPPFLAGS) $(SYSROOT_CPPFLAGS) -c $< -o $@
# The mock's header is of the lab's kernel's source, which is no uAPI.
$(BUILD)/arm64/tests/host/mock.o $(BUILD)/arm64/tests/host/mock_calls.o: UAPI_CPPFLAGS += -isystem $(LAB_KERNEL_HEADERS)
$(BUILD)/mock: $(BUILD)/arm64/tests/host/mock_calls.o
$(addprefix $(BUILD)/,card uapi mock): $(BUILD)/%: $(filter-out %/main.o,$(arm64-objs)) $(BUILD)/arm64/tests/host/%.o
	$(call quiet,LD,$@)$(CROSS_CC) -static $^ -o $@ $(SYSROOT_LDFLAGS) $(libs)
# Through the mock's fault queue, as --dma-test backend=mock goes.
$(BUILD)/queue: $(filter-out %/main.o %/mock_none.o,$(arm64-objs)) $(mock-wire) $(BUILD)/arm64/tests/host/queue.o
	$(call quiet,LD,$@)$(CROSS_CC) -static $^ -o $@ $(SYSROOT_LDFLAGS) $(libs)
-include $(addprefix $(BUILD)/arm64/tests/host/,card.d uapi.d mock.d mock_calls.d queue.d) $(mock-wire:.o=.d)

# What runs in the arm64 host beside the program.
host-programs := $(addprefix $(BUILD)/,asan/nestor nestor-mock pty qmp card uapi mock queue traffic dma nest kexec stall sva churn ats vpri dmatest_sva.ko dmatest_vpri.ko tap blocks crash)
host-programs: $(host-programs)

# Whether JSON is as docs/json/ says.
json-objs := $(BUILD)/native/tests/json-check.o $(BUILD)/native/tests/unit/schema.o
$(BUILD)/native/json-check: $(json-objs)
	$(call quiet,LD,$@)$(CC) $(SANITIZE) $^ -o $@ -ljansson
-include $(json-objs:.o=.d)

# A control socket for clients of others.
qmp-objs := $(BUILD)/native/tests/qmp/server.o $(BUILD)/native/tests/unit/fake_kvm.o
$(BUILD)/native/qmp-server: $(filter-out %/main.o,$(native-objs)) $(qmp-objs)
	$(call quiet,LD,$@)$(CC) $(SANITIZE) $^ -o $@ $(libs)
-include $(qmp-objs:.o=.d)

# What needs no guest: units under sanitizers, the command line, include rule, format.
check: $(BUILD)/nestor $(BUILD)/native/nestor $(BUILD)/native/unit-tests $(BUILD)/native/json-check
	@tests/run.sh $(test-results) units command+told+rules

test: $(BUILD)/nestor $(BUILD)/native/nestor $(BUILD)/native/unit-tests $(BUILD)/native/json-check $(BUILD)/native/qmp-server $(bare-guests) $(host-programs) setup-lab
	@tests/run.sh $(test-results) units command+told+rules qmp host lab+crash

# The IOMMU device and its model: ten million requests, four minutes
soak-viommu: $(BUILD)/native/unit-tests
	@VIOMMU_REQUESTS=10000000 VIOMMU_SEED=$${VIOMMU_SEED:-$$(date +%s)} LSAN_OPTIONS=suppressions=tests/unit/lsan.supp:print_suppressions=0 \
		$< --jobs 1 --timeout 3600 --filter 'viommu_model/*'

# Random machines, and what is told of them: twenty thousand, five minutes
soak-told: $(BUILD)/native/unit-tests
	@SOAK=1 TOLD_SEED=$${TOLD_SEED:-$$(date +%s)} LSAN_OPTIONS=suppressions=tests/unit/lsan.supp:print_suppressions=0 \
		$< --jobs 1 --timeout 3600 --filter 'told/*'

# Tables, caches and stalls of an SMMU against their models: ten million walks, five million steps, six minutes
soak-smmu: $(BUILD)/native/unit-tests
	@PGTABLE_CASES=10000000 SMMU_CASES=5000000 STALL_STEPS=5 PRI_STEPS=6 MAILBOX_STEPS=7 LSAN_OPTIONS=suppressions=tests/unit/lsan.supp:print_suppressions=0 \
		$< --jobs 2 --timeout 3600 --filter '@(pgtable_model|smmu_model|smmu_stall|smmu_pri_model|mailbox_model)/*'

# A guest of a guest, behind both stages of Nestor's own SMMUv3 (docs/vsmmu.md).
tower: $(BUILD)/nestor $(BUILD)/asan/nestor $(bare-guests) $(host-programs) $(BUILD)/native/json-check setup-lab
	tests/host.sh tower.sh

soak: soak-viommu soak-told soak-smmu $(BUILD)/nestor $(bare-guests) $(host-programs) setup-lab
	@SOAK=1 tests/run.sh $(test-results) host crash


.PHONY: host-programs check test tower soak soak-smmu soak-told soak-viommu
