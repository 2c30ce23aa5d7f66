# SPDX-License-Identifier: GPL-2.0-only
# Bare-metal guests: one flat arm64 Image for each file here, linked with all of lib/. Included by the Makefile.

bare-names := $(basename $(notdir $(wildcard guests/bare/*.c)))
bare-guests := $(bare-names:%=$(BUILD)/guests/%.bin) $(BUILD)/guests/flat.bin
bare-lib := $(patsubst guests/bare/lib/%,$(BUILD)/guests/lib/%.o,$(wildcard guests/bare/lib/*.[cS]))
bare-objs := $(bare-names:%=$(BUILD)/guests/%.c.o) $(bare-lib)
bare-cflags := -std=gnu11 -O2 -g -Wall -Wextra -Werror -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wvla -Wno-missing-field-initializers \
	-ffreestanding -fno-pic -fno-stack-protector -fno-asynchronous-unwind-tables -fno-tree-loop-distribute-patterns \
	-mgeneral-regs-only -mstrict-align -Iguests/bare -MMD -MP

.PHONY: bare-guests
bare-guests: $(bare-guests)

$(BUILD)/guests/%.o: guests/bare/%
	@mkdir -p $(@D)
	$(call quiet,CC,$<)$(CROSS_CC) $(bare-cflags) -c $< -o $@

$(BUILD)/guests/%.elf: $(BUILD)/guests/%.c.o $(bare-lib) guests/bare/lib/guest.ld
	$(call quiet,LD,$@)$(CROSS_CC) -nostdlib -static -no-pie -Wl,--build-id=none,--no-warn-rwx-segments \
		-T guests/bare/lib/guest.ld $(filter %.o,$^) -o $@

$(BUILD)/guests/%.bin: $(BUILD)/guests/%.elf
	@$(CROSS_CC:gcc=objcopy) -O binary $< $@

# The exit guest as a flat image: no magic number, linked for where that is loaded.
$(BUILD)/guests/flat.elf: $(BUILD)/guests/exit.c.o $(bare-lib) guests/bare/lib/guest.ld
	$(call quiet,LD,$@)$(CROSS_CC) -nostdlib -static -no-pie -Wl,--build-id=none,--no-warn-rwx-segments,--defsym=base=0x80080000 \
		-T guests/bare/lib/guest.ld $(filter %.o,$^) -o $@

$(BUILD)/guests/flat.bin: $(BUILD)/guests/flat.elf
	@$(CROSS_CC:gcc=objcopy) -O binary $< $@.new
	@printf '\0\0\0\0' | dd of=$@.new bs=1 seek=56 conv=notrunc 2>/dev/null && mv $@.new $@

.SECONDARY: $(bare-objs) $(bare-guests:.bin=.elf)
-include $(bare-objs:.o=.d)
