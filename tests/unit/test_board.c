// SPDX-License-Identifier: GPL-2.0-only
/* What the board has of what segments take. */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <criterion/parameterized.h>

#include "devices/pci/pci.h"
#include "machine/layout.h"
#include "machine/machine.h"
#include "machine/status.h"
#include "tests/unit/fake_pci.h"
#include "tests/unit/said.h"
#include "vmm/arm64/gic.h"

struct spi_case {
	char irqchip[12];
	unsigned int nr_segments, nr_spis;
};

ParameterizedTestParameters(board, a_gic_has_no_more_spis_than_the_segments_take)
{
	static struct spi_case cases[] = {
		{ "gicv3-its", 1, 160 },  { "gicv3-its", 8, 160 }, { "gicv3-its", 9, 320 },
		{ "gicv3-its", 16, 320 }, { "gicv3", 17, 352 },    { "gicv3", 64, 512 },
		{ "gicv2m", 8, 288 },     { "gicv2m", 9, 320 },    { "gicv2", 64, 512 },
	};

	return cr_make_param_array(struct spi_case, cases, ARRAY_SIZE(cases));
}

ParameterizedTest(struct spi_case *c, board, a_gic_has_no_more_spis_than_the_segments_take)
{
	const struct options o = {
		.irqchip = irqchip_find(c->irqchip),
		.nr_segments = c->nr_segments,
	};

	cr_assert(eq(u32, board_spis(&o), c->nr_spis), "%s, %u", c->irqchip, c->nr_segments);
}

Test(board, of_64_segments_the_last_ends_4_tib_above_ram)
{
	const struct options o = { .mem = 256 << 20, .nr_segments = PLATFORM_SEGMENTS };

	/* 32 GiB, 63 strides, the window, 4 buses */
	cr_assert(eq(u64, board_top(&o), (32 + 63 * 64 + 32ULL) << 30 | 4 << 20));
}

/* A port takes a BAR of 64 KiB, and 1 MiB for what is behind it, which has 4 KiB and 256. */
Test(board, a_window_without_room_for_its_segments_bars_is_refused)
{
	static struct machine m;
	static struct pci_func func, behind;
	struct platform_pci pci = fake_pci;
	struct pci_func *port;
	const struct pci_bar small = { .size = 4096 }, large = { .size = 256 << 10 };
	const struct pci_bar high = { .size = 64 << 20, .is_64 = true, .prefetch = true };

	listen_to(stderr);
	fake_vm(&m.vm, 1);
	pci.segment = 5;
	pci.mem64 = (struct platform_window){ 0x800000000, 0x800000000, 64 << 20 };
	pci.mem32.size = (1024 + 64 + 4 + 256) << 10;
	m.platform.pci[0] = pci;
	m.platform.nr_pci = 1;
	cr_assert(zero(int, pci_host_create(&m.pci[0], &m.vm, &pci)));
	cr_assert(zero(int, pci_port_create(&port, m.pci[0], 1)));
	cr_assert(zero(int, pci_func_add(pci_host_bus(m.pci[0]), &func, &fake_pci_id)));
	cr_assert(zero(int, pci_func_add(port->secondary, &behind, &fake_pci_id)));
	pci_bar_add(&func, 0, &small);
	pci_bar_add(&func, 1, &large);
	pci_bar_add(&func, 4, &high);
	pci_bar_add(&behind, 0, &small);
	pci_bar_add(&behind, 1, &large);
	cr_assert(zero(int, board_place(&m)));
	pci_bar_add(&behind, 2, &high);
	cr_assert(eq(int, board_place(&m), STATUS_USAGE));
	cr_assert(eq(str, said(stderr),
	             "nestor: --segment 5: expected devices whose BARs fit into its 64-bit "
	             "window: it has 64M, and they take 128M\n"));
	behind.bars[2].size = 0;
	pci_bar_add(&func, 2, &small);
	cr_assert(eq(int, board_place(&m), STATUS_USAGE));
	cr_assert(eq(str, said(stderr),
	             "nestor: --segment 5: expected devices whose BARs fit into its 32-bit "
	             "window: it has 1348K, a share of 1 segments, and they take 1352K\n"));
	pci_func_remove(&behind);
	pci_func_remove(&func);
	pci_port_destroy(port);
	pci_host_destroy(m.pci[0]);
	fake_vm_destroy(&m.vm);
}
