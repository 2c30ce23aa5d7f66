/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef MACHINE_LAYOUT_H
#define MACHINE_LAYOUT_H

/*
 * The board. Addresses are lkvm's, so that what was made for it runs unchanged;
 * departures are marked (docs/design.md, "The board").
 *
 *   0x0000_0000  I/O ports, 64 KiB
 *   0x0100_0000  UARTs, 4 KiB each                        SPI 0 to 3
 *   0x0101_0000  RTC, a PL031                             SPI 36, departure
 *   0x0101_1000  pvpanic                                  departure
 *   0x0102_0000  exit device                              departure
 *   0x0103_0000  GPIO, a PL061: pin 3 is the power button SPI 37, departure
 *   0x0300_0000  virtio devices, 512 bytes each            SPI 64 on (--virtio-transport mmio)
 *   0x07ff_0000  ITS, its doorbell frame at 0x0800_0000   departure
 *   0x0800_0000  or the v2m frame (GICv2m)                departure; its messages are SPI 160 on
 *   0x0900_0000  SMMUv3s, 128 KiB each                    SPI 96 on, four each: departure
 *      ...       redistributors, 128 KiB for each CPU, up to
 *   0x3ffd_0000  or the CPU interface (GICv2)
 *   0x3fff_0000  distributor                              (vmm/arm64/gic.h)
 *   0x4000_0000  ECAM of segment 0, 256 buses
 *   0x5000_0000  32-bit memory window                     INTx: SPI 4 to 35, and 288 on
 *   0x8000_0000  RAM
 *
 * Above RAM, from the next multiple of 32 GiB, each segment has 64 GiB: a 64-bit
 * prefetchable window of 32, then its ECAM (of segments other than 0). Segments
 * share the 32-bit window, and the DeviceIDs of the ITS: so the more segments,
 * the fewer buses each.
 */
#define UART_BASE    0x01000000ULL
#define UART_STRIDE  0x1000ULL
#define RTC_BASE     0x01010000ULL
#define PVPANIC_BASE 0x01011000ULL
#define EXIT_BASE    0x01020000ULL
#define GPIO_BASE    0x01030000ULL
#define POWER_PIN    3

#define VIRTIO_MMIO_BASE 0x03000000ULL

#define SMMU_BASE 0x09000000ULL

/* IOVAs, where Linux has doorbells: its drivers' MSI_IOVA_BASE. */
#define MSI_WINDOW_BASE 0x08000000ULL
#define MSI_WINDOW_SIZE 0x100000ULL

#define PCI_IO_BASE  0x0ULL
#define PCI_IO_SIZE  0x10000ULL
#define PCI_ECAM     0x40000000ULL
#define PCI_MEM_BASE 0x50000000ULL
#define PCI_MEM_SIZE 0x30000000ULL

#define RAM_BASE 0x80000000ULL

#define SEGMENT_STRIDE   (64ULL << 30)
#define SEGMENT_WINDOW64 (32ULL << 30)
#define MAX_SEGMENTS     64
#define FIRST_SEGMENTS   8        /* whose interrupts are below the others' */
#define NR_DEVIDS        0x10000u /* 16 bits in KVM's ITS */
#define PCI_NR_BUSES     256

#define MAX_SMMUS 16

enum {
	SPI_UART0 = 0,
	SPI_INTX0 = 4, /* four for each of the first segments */
	SPI_RTC = SPI_INTX0 + 4 * FIRST_SEGMENTS,
	SPI_GPIO,
	SPI_FREE,
	SPI_VIRTIO0 = 64, /* over MMIO */
	SPI_SMMU0 = 96,   /* four for each */
	NR_SPIS = SPI_SMMU0 + 4 * MAX_SMMUS,
	SPI_V2M0 = NR_SPIS, /* with a v2m frame */
	NR_V2M_SPIS = 128,
	SPI_INTX_MORE = SPI_V2M0 + NR_V2M_SPIS, /* four for each further segment */
	END_SPIS = SPI_INTX_MORE + 4 * (MAX_SEGMENTS - FIRST_SEGMENTS),
};

#define MAX_CPUS 64

/* With the windows above it within the 48 bits that an arm64 kernel reaches. */
#define MAX_RAM (64ULL << 40)
#define MIN_RAM (16ULL << 20)

#endif
