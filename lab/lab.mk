# SPDX-License-Identifier: GPL-2.0-only
# make run, make shell: a Linux guest under Nestor, and a shell in the host it runs in (lab/run.sh). make setup-build,
# make setup-lab: what building and the lab stand on (lab/setup.sh).

.PHONY: run shell setup-build setup-lab
export KERNEL INITRD HOST_KERNEL UAPI DISK ARGS PARAMS

# Said before anything is built or fetched
ifneq ($(filter run shell test tower soak bench,$(MAKECMDGOALS)),)
$(foreach v,KERNEL INITRD HOST_KERNEL DISK,$(if $($v),$(if $(wildcard $($v)),,$(error $v=$($v): no such file))))
endif

setup-build:
	@lab/setup.sh build

setup-lab:
	@lab/setup.sh lab

run shell: $(BUILD)/nestor
	@lab/run.sh $@ $(abspath $(BUILD))
