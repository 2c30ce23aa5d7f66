// SPDX-License-Identifier: GPL-2.0-only
/* What is in the struct of each iommufd and vfio call, for a trace: rows by <linux/iommufd.h> and
 * <linux/vfio.h>. */
#include <linux/iommufd.h>
#include <linux/vfio.h>

#include "vfio/context.h"
#include "vfio/decode.h"

#define SIZE_OF(type, member) sizeof(((struct type *)0)->member)
#define FIELD(type, member, how) \
	.name = #member, .kind = DECODE_##how, .offset = offsetof(struct type, member)
#define SIZED(type, member, how) FIELD(type, member, how), .size = SIZE_OF(type, member)

/* Numbers, addresses, flags and enumerations, given or given back. */
#define IN(type, member)                                \
	{                                               \
		SIZED(type, member, NUMBER), .in = true \
	}
#define IN_HEX(type, member)                         \
	{                                            \
		SIZED(type, member, HEX), .in = true \
	}
#define IN_FLAGS(type, member, n)                                     \
	{                                                             \
		SIZED(type, member, FLAGS), .in = true, .names = &(n) \
	}
#define IN_ENUM(type, member, n)                                     \
	{                                                            \
		SIZED(type, member, ENUM), .in = true, .names = &(n) \
	}
#define OUT(type, member)                                \
	{                                                \
		SIZED(type, member, NUMBER), .out = true \
	}
#define OUT_HEX(type, member)                         \
	{                                             \
		SIZED(type, member, HEX), .out = true \
	}
#define OUT_FLAGS(type, member, n)                                     \
	{                                                              \
		SIZED(type, member, FLAGS), .out = true, .names = &(n) \
	}
#define OUT_ENUM(type, member, n)                                     \
	{                                                             \
		SIZED(type, member, ENUM), .out = true, .names = &(n) \
	}
#define IN_OUT(type, member)                                         \
	{                                                            \
		SIZED(type, member, NUMBER), .in = true, .out = true \
	}
#define IN_OUT_HEX(type, member)                                  \
	{                                                         \
		SIZED(type, member, HEX), .in = true, .out = true \
	}
/* Words: @nr has how many of @bytes each there are; a word has @size. */
#define COUNTED(type, nr, bytes, size) \
	.count = offsetof(struct type, nr), .unit = (bytes), .word = (size)
#define IN_WORDS(type, member, ...)                                                \
	{                                                                          \
		FIELD(type, member, THERE), .in = true, COUNTED(type, __VA_ARGS__) \
	}
#define OUT_WORDS(type, member, ...)                                                \
	{                                                                           \
		FIELD(type, member, THERE), .out = true, COUNTED(type, __VA_ARGS__) \
	}
#define IN_BEHIND(type, member, bytes)                                   \
	{                                                                \
		FIELD(type, member, BEHIND), .in = true, .word = (bytes) \
	}
#define IN_FDS(type, member)                                    \
	{                                                       \
		FIELD(type, member, FDS), .in = true, .word = 4 \
	}
#define OUT_BEHIND(type, member, ...)                                                \
	{                                                                            \
		FIELD(type, member, BEHIND), .out = true, COUNTED(type, __VA_ARGS__) \
	}
#define END                  \
	{                    \
		.name = NULL \
	}

/* Names, less what they begin with. */
#define NAME(prefix, name)          \
	{                           \
		prefix##name, #name \
	}
#define NAMES(names, ...)                                                          \
	static const struct decode_name names##_rows[] = { __VA_ARGS__ };          \
	static const struct decode_names names = { .nr = ARRAY_SIZE(names##_rows), \
		                                   .rows = names##_rows }
#define MASKED_NAMES(names, bits, ...)                                             \
	static const struct decode_name names##_rows[] = { __VA_ARGS__ };          \
	static const struct decode_names names = { .nr = ARRAY_SIZE(names##_rows), \
		                                   .mask = (bits),                 \
		                                   .rows = names##_rows }

NAMES(no_flags, { 0, "0" });
NAMES(map_flags, NAME(IOMMU_IOAS_MAP_, FIXED_IOVA), NAME(IOMMU_IOAS_MAP_, WRITEABLE),
      NAME(IOMMU_IOAS_MAP_, READABLE));
NAMES(options, NAME(IOMMU_OPTION_, RLIMIT_MODE), NAME(IOMMU_OPTION_, HUGE_PAGES),
      NAME(VFIO_OPTION_, SW_MSI_START), NAME(VFIO_OPTION_, SW_MSI_SIZE));
NAMES(option_ops, NAME(IOMMU_OPTION_OP_, SET), NAME(IOMMU_OPTION_OP_, GET));
NAMES(hwpt_flags, NAME(IOMMU_HWPT_ALLOC_, NEST_PARENT), NAME(IOMMU_HWPT_ALLOC_, DIRTY_TRACKING),
      NAME(IOMMU_HWPT_, FAULT_ID_VALID), NAME(IOMMU_HWPT_ALLOC_, PASID));
NAMES(hwpt_data, NAME(IOMMU_HWPT_DATA_, NONE), NAME(IOMMU_HWPT_DATA_, VTD_S1),
      NAME(IOMMU_HWPT_DATA_, ARM_SMMUV3), NAME(IOMMU_HWPT_DATA_, AMD_GUEST));
NAMES(hw_types, NAME(IOMMU_HW_INFO_TYPE_, NONE), NAME(IOMMU_HW_INFO_TYPE_, INTEL_VTD),
      NAME(IOMMU_HW_INFO_TYPE_, ARM_SMMUV3), NAME(IOMMU_HW_INFO_TYPE_, TEGRA241_CMDQV),
      NAME(IOMMU_HW_INFO_TYPE_, AMD));
NAMES(hw_flags, { IOMMU_HW_INFO_FLAG_INPUT_TYPE, "INPUT_TYPE" });
NAMES(hw_caps, NAME(IOMMU_HW_CAP_, DIRTY_TRACKING), NAME(IOMMU_HW_CAP_, PCI_PASID_EXEC),
      NAME(IOMMU_HW_CAP_, PCI_PASID_PRIV), NAME(IOMMU_HW_CAP_, PCI_ATS_NOT_SUPPORTED));
NAMES(dirty_set, { IOMMU_HWPT_DIRTY_TRACKING_ENABLE, "ENABLE" });
NAMES(dirty_get, { IOMMU_HWPT_GET_DIRTY_BITMAP_NO_CLEAR, "NO_CLEAR" });
/* 0 is VTD_S1 with a HWPT, and nothing with a vIOMMU. */
NAMES(invalidate_data, NAME(IOMMU_VIOMMU_INVALIDATE_DATA_, ARM_SMMUV3));
NAMES(viommu_types, NAME(IOMMU_VIOMMU_TYPE_, DEFAULT), NAME(IOMMU_VIOMMU_TYPE_, ARM_SMMUV3),
      NAME(IOMMU_VIOMMU_TYPE_, TEGRA241_CMDQV));
NAMES(veventq_types, NAME(IOMMU_VEVENTQ_TYPE_, DEFAULT), NAME(IOMMU_VEVENTQ_TYPE_, ARM_SMMUV3),
      NAME(IOMMU_VEVENTQ_TYPE_, TEGRA241_CMDQV));
NAMES(hw_queue_types, NAME(IOMMU_HW_QUEUE_TYPE_, DEFAULT),
      NAME(IOMMU_HW_QUEUE_TYPE_, TEGRA241_CMDQV));
NAMES(bind_flags, { VFIO_DEVICE_BIND_FLAG_TOKEN, "TOKEN" });
NAMES(attach_flags, { VFIO_DEVICE_ATTACH_PASID, "PASID" });
NAMES(info_flags, NAME(VFIO_DEVICE_FLAGS_, RESET), NAME(VFIO_DEVICE_FLAGS_, PCI),
      NAME(VFIO_DEVICE_FLAGS_, CAPS));
NAMES(region_flags, NAME(VFIO_REGION_INFO_FLAG_, READ), NAME(VFIO_REGION_INFO_FLAG_, WRITE),
      NAME(VFIO_REGION_INFO_FLAG_, MMAP), NAME(VFIO_REGION_INFO_FLAG_, CAPS));
NAMES(regions, { VFIO_PCI_BAR0_REGION_INDEX, "BAR0" }, { VFIO_PCI_BAR1_REGION_INDEX, "BAR1" },
      { VFIO_PCI_BAR2_REGION_INDEX, "BAR2" }, { VFIO_PCI_BAR3_REGION_INDEX, "BAR3" },
      { VFIO_PCI_BAR4_REGION_INDEX, "BAR4" }, { VFIO_PCI_BAR5_REGION_INDEX, "BAR5" },
      { VFIO_PCI_ROM_REGION_INDEX, "ROM" }, { VFIO_PCI_CONFIG_REGION_INDEX, "CONFIG" },
      { VFIO_PCI_VGA_REGION_INDEX, "VGA" });
NAMES(irqs, { VFIO_PCI_INTX_IRQ_INDEX, "INTX" }, { VFIO_PCI_MSI_IRQ_INDEX, "MSI" },
      { VFIO_PCI_MSIX_IRQ_INDEX, "MSIX" }, { VFIO_PCI_ERR_IRQ_INDEX, "ERR" },
      { VFIO_PCI_REQ_IRQ_INDEX, "REQ" });
NAMES(irq_flags, NAME(VFIO_IRQ_INFO_, EVENTFD), NAME(VFIO_IRQ_INFO_, MASKABLE),
      NAME(VFIO_IRQ_INFO_, AUTOMASKED), NAME(VFIO_IRQ_INFO_, NORESIZE));
NAMES(set_flags, NAME(VFIO_IRQ_SET_, DATA_NONE), NAME(VFIO_IRQ_SET_, DATA_BOOL),
      NAME(VFIO_IRQ_SET_, DATA_EVENTFD), NAME(VFIO_IRQ_SET_, ACTION_MASK),
      NAME(VFIO_IRQ_SET_, ACTION_UNMASK), NAME(VFIO_IRQ_SET_, ACTION_TRIGGER));
NAMES(hot_flags, { VFIO_PCI_HOT_RESET_FLAG_DEV_ID, "DEV_ID" },
      { VFIO_PCI_HOT_RESET_FLAG_DEV_ID_OWNED, "DEV_ID_OWNED" });
MASKED_NAMES(features, VFIO_DEVICE_FEATURE_MASK, NAME(VFIO_DEVICE_FEATURE_, PCI_VF_TOKEN),
             NAME(VFIO_DEVICE_FEATURE_, MIGRATION), NAME(VFIO_DEVICE_FEATURE_, MIG_DEVICE_STATE),
             NAME(VFIO_DEVICE_FEATURE_, LOW_POWER_ENTRY),
             NAME(VFIO_DEVICE_FEATURE_, LOW_POWER_ENTRY_WITH_WAKEUP),
             NAME(VFIO_DEVICE_FEATURE_, LOW_POWER_EXIT),
             NAME(VFIO_DEVICE_FEATURE_, DMA_LOGGING_START),
             NAME(VFIO_DEVICE_FEATURE_, DMA_LOGGING_STOP),
             NAME(VFIO_DEVICE_FEATURE_, DMA_LOGGING_REPORT),
             NAME(VFIO_DEVICE_FEATURE_, MIG_DATA_SIZE), NAME(VFIO_DEVICE_FEATURE_, BUS_MASTER),
             NAME(VFIO_DEVICE_FEATURE_, DMA_BUF), NAME(VFIO_DEVICE_FEATURE_, MIG_PRECOPY_INFOv2),
             NAME(VFIO_DEVICE_FEATURE_, GET), NAME(VFIO_DEVICE_FEATURE_, SET),
             NAME(VFIO_DEVICE_FEATURE_, PROBE));
NAMES(ioeventfd_flags, { VFIO_DEVICE_IOEVENTFD_8, "8" }, { VFIO_DEVICE_IOEVENTFD_16, "16" },
      { VFIO_DEVICE_IOEVENTFD_32, "32" }, { VFIO_DEVICE_IOEVENTFD_64, "64" });

/* Each call: its request, and the fields of its struct. */
#define REQUEST(nr, ...)                                                              \
	{                                                                             \
		.request = (nr), .name = #nr, .fields = (const struct decode_field[]) \
		{                                                                     \
			__VA_ARGS__, END                                              \
		}                                                                     \
	}

static const struct decode_request requests[] = {
	REQUEST(IOMMU_DESTROY, IN(iommu_destroy, id)),
	REQUEST(IOMMU_IOAS_ALLOC, IN_FLAGS(iommu_ioas_alloc, flags, no_flags),
	        OUT(iommu_ioas_alloc, out_ioas_id)),
	REQUEST(IOMMU_IOAS_ALLOW_IOVAS, IN(iommu_ioas_allow_iovas, ioas_id),
	        IN(iommu_ioas_allow_iovas, num_iovas),
	        IN_WORDS(iommu_ioas_allow_iovas, allowed_iovas, num_iovas, 16, 8)),
	REQUEST(IOMMU_IOAS_IOVA_RANGES, IN(iommu_ioas_iova_ranges, ioas_id),
	        IN_OUT(iommu_ioas_iova_ranges, num_iovas),
	        OUT_WORDS(iommu_ioas_iova_ranges, allowed_iovas, num_iovas, 16, 8),
	        OUT_HEX(iommu_ioas_iova_ranges, out_iova_alignment)),
	REQUEST(IOMMU_IOAS_MAP, IN_FLAGS(iommu_ioas_map, flags, map_flags),
	        IN(iommu_ioas_map, ioas_id), IN_HEX(iommu_ioas_map, user_va),
	        IN_HEX(iommu_ioas_map, length), IN_OUT_HEX(iommu_ioas_map, iova)),
	REQUEST(IOMMU_IOAS_MAP_FILE, IN_FLAGS(iommu_ioas_map_file, flags, map_flags),
	        IN(iommu_ioas_map_file, ioas_id), IN(iommu_ioas_map_file, fd),
	        IN_HEX(iommu_ioas_map_file, start), IN_HEX(iommu_ioas_map_file, length),
	        IN_OUT_HEX(iommu_ioas_map_file, iova)),
	REQUEST(IOMMU_IOAS_COPY, IN_FLAGS(iommu_ioas_copy, flags, map_flags),
	        IN(iommu_ioas_copy, dst_ioas_id), IN(iommu_ioas_copy, src_ioas_id),
	        IN_HEX(iommu_ioas_copy, length), IN_OUT_HEX(iommu_ioas_copy, dst_iova),
	        IN_HEX(iommu_ioas_copy, src_iova)),
	REQUEST(IOMMU_IOAS_UNMAP, IN(iommu_ioas_unmap, ioas_id), IN_HEX(iommu_ioas_unmap, iova),
	        IN_OUT_HEX(iommu_ioas_unmap, length)),
	REQUEST(IOMMU_IOAS_CHANGE_PROCESS, IN(iommu_ioas_change_process, __reserved)),
	REQUEST(IOMMU_OPTION, IN_ENUM(iommu_option, option_id, options),
	        IN_ENUM(iommu_option, op, option_ops), IN(iommu_option, object_id),
	        IN_OUT_HEX(iommu_option, val64)),
	REQUEST(IOMMU_HWPT_ALLOC, IN_FLAGS(iommu_hwpt_alloc, flags, hwpt_flags),
	        IN(iommu_hwpt_alloc, dev_id), IN(iommu_hwpt_alloc, pt_id),
	        IN_ENUM(iommu_hwpt_alloc, data_type, hwpt_data), IN(iommu_hwpt_alloc, data_len),
	        IN_WORDS(iommu_hwpt_alloc, data_uptr, data_len, 1, 8),
	        IN(iommu_hwpt_alloc, fault_id), OUT(iommu_hwpt_alloc, out_hwpt_id)),
	/* a unit is an SMMUv3's command; VT-d's is longer, and shown in part */
	REQUEST(IOMMU_HWPT_INVALIDATE, IN(iommu_hwpt_invalidate, hwpt_id),
	        IN_ENUM(iommu_hwpt_invalidate, data_type, invalidate_data),
	        IN(iommu_hwpt_invalidate, entry_len), IN_OUT(iommu_hwpt_invalidate, entry_num),
	        IN_WORDS(iommu_hwpt_invalidate, data_uptr, entry_num, 16, 8)),
	REQUEST(IOMMU_HWPT_SET_DIRTY_TRACKING,
	        IN_FLAGS(iommu_hwpt_set_dirty_tracking, flags, dirty_set),
	        IN(iommu_hwpt_set_dirty_tracking, hwpt_id)),
	REQUEST(IOMMU_HWPT_GET_DIRTY_BITMAP, IN(iommu_hwpt_get_dirty_bitmap, hwpt_id),
	        IN_FLAGS(iommu_hwpt_get_dirty_bitmap, flags, dirty_get),
	        IN_HEX(iommu_hwpt_get_dirty_bitmap, iova),
	        IN_HEX(iommu_hwpt_get_dirty_bitmap, length),
	        IN_HEX(iommu_hwpt_get_dirty_bitmap, page_size),
	        IN_HEX(iommu_hwpt_get_dirty_bitmap, data)),
	REQUEST(IOMMU_GET_HW_INFO, IN_FLAGS(iommu_hw_info, flags, hw_flags),
	        IN(iommu_hw_info, dev_id), IN_ENUM(iommu_hw_info, in_data_type, hw_types),
	        IN_OUT(iommu_hw_info, data_len), OUT_ENUM(iommu_hw_info, out_data_type, hw_types),
	        OUT_WORDS(iommu_hw_info, data_uptr, data_len, 1, 4),
	        OUT(iommu_hw_info, out_max_pasid_log2),
	        OUT_FLAGS(iommu_hw_info, out_capabilities, hw_caps)),
	REQUEST(IOMMU_FAULT_QUEUE_ALLOC, IN_FLAGS(iommu_fault_alloc, flags, no_flags),
	        OUT(iommu_fault_alloc, out_fault_id), OUT(iommu_fault_alloc, out_fault_fd)),
	REQUEST(IOMMU_VIOMMU_ALLOC, IN_FLAGS(iommu_viommu_alloc, flags, no_flags),
	        IN_ENUM(iommu_viommu_alloc, type, viommu_types), IN(iommu_viommu_alloc, dev_id),
	        IN(iommu_viommu_alloc, hwpt_id), IN(iommu_viommu_alloc, data_len),
	        OUT_WORDS(iommu_viommu_alloc, data_uptr, data_len, 1, 8),
	        OUT(iommu_viommu_alloc, out_viommu_id)),
	REQUEST(IOMMU_VDEVICE_ALLOC, IN(iommu_vdevice_alloc, viommu_id),
	        IN(iommu_vdevice_alloc, dev_id), IN_HEX(iommu_vdevice_alloc, virt_id),
	        OUT(iommu_vdevice_alloc, out_vdevice_id)),
	REQUEST(IOMMU_VEVENTQ_ALLOC, IN_FLAGS(iommu_veventq_alloc, flags, no_flags),
	        IN(iommu_veventq_alloc, viommu_id),
	        IN_ENUM(iommu_veventq_alloc, type, veventq_types),
	        IN(iommu_veventq_alloc, veventq_depth), OUT(iommu_veventq_alloc, out_veventq_id),
	        OUT(iommu_veventq_alloc, out_veventq_fd)),
	REQUEST(IOMMU_HW_QUEUE_ALLOC, IN_FLAGS(iommu_hw_queue_alloc, flags, no_flags),
	        IN(iommu_hw_queue_alloc, viommu_id),
	        IN_ENUM(iommu_hw_queue_alloc, type, hw_queue_types),
	        IN(iommu_hw_queue_alloc, index), IN_HEX(iommu_hw_queue_alloc, nesting_parent_iova),
	        IN_HEX(iommu_hw_queue_alloc, length), OUT(iommu_hw_queue_alloc, out_hw_queue_id)),
	REQUEST(VFIO_DEVICE_BIND_IOMMUFD, IN_FLAGS(vfio_device_bind_iommufd, flags, bind_flags),
	        IN(vfio_device_bind_iommufd, iommufd), OUT(vfio_device_bind_iommufd, out_devid)),
	REQUEST(VFIO_DEVICE_ATTACH_IOMMUFD_PT,
	        IN_FLAGS(vfio_device_attach_iommufd_pt, flags, attach_flags),
	        IN_OUT(vfio_device_attach_iommufd_pt, pt_id),
	        IN(vfio_device_attach_iommufd_pt, pasid)),
	REQUEST(VFIO_DEVICE_DETACH_IOMMUFD_PT,
	        IN_FLAGS(vfio_device_detach_iommufd_pt, flags, attach_flags),
	        IN(vfio_device_detach_iommufd_pt, pasid)),
	REQUEST(VFIO_DEVICE_GET_INFO, IN(vfio_device_info, argsz),
	        OUT_FLAGS(vfio_device_info, flags, info_flags), OUT(vfio_device_info, num_regions),
	        OUT(vfio_device_info, num_irqs), OUT(vfio_device_info, cap_offset)),
	REQUEST(VFIO_DEVICE_GET_REGION_INFO, IN_OUT(vfio_region_info, argsz),
	        IN_ENUM(vfio_region_info, index, regions),
	        OUT_FLAGS(vfio_region_info, flags, region_flags), OUT_HEX(vfio_region_info, size),
	        OUT_HEX(vfio_region_info, offset), OUT(vfio_region_info, cap_offset)),
	REQUEST(VFIO_DEVICE_GET_IRQ_INFO, IN_ENUM(vfio_irq_info, index, irqs),
	        OUT_FLAGS(vfio_irq_info, flags, irq_flags), OUT(vfio_irq_info, count)),
	REQUEST(VFIO_DEVICE_SET_IRQS, IN(vfio_irq_set, argsz),
	        IN_FLAGS(vfio_irq_set, flags, set_flags), IN_ENUM(vfio_irq_set, index, irqs),
	        IN(vfio_irq_set, start), IN(vfio_irq_set, count), IN_FDS(vfio_irq_set, data)),
	{ .request = VFIO_DEVICE_RESET, .name = "VFIO_DEVICE_RESET" },
	/* a word is one that would be reset too: devfn, bus and segment above an ID */
	REQUEST(VFIO_DEVICE_GET_PCI_HOT_RESET_INFO, IN(vfio_pci_hot_reset_info, argsz),
	        OUT_FLAGS(vfio_pci_hot_reset_info, flags, hot_flags),
	        OUT(vfio_pci_hot_reset_info, count),
	        OUT_BEHIND(vfio_pci_hot_reset_info, devices, count, 8, 8)),
	REQUEST(VFIO_DEVICE_PCI_HOT_RESET, IN_FLAGS(vfio_pci_hot_reset, flags, no_flags),
	        IN(vfio_pci_hot_reset, count), IN_FDS(vfio_pci_hot_reset, group_fds)),
	REQUEST(VFIO_DEVICE_FEATURE, IN(vfio_device_feature, argsz),
	        IN_FLAGS(vfio_device_feature, flags, features),
	        IN_BEHIND(vfio_device_feature, data, 4)),
	REQUEST(VFIO_DEVICE_IOEVENTFD, IN_FLAGS(vfio_device_ioeventfd, flags, ioeventfd_flags),
	        IN_HEX(vfio_device_ioeventfd, offset), IN_HEX(vfio_device_ioeventfd, data),
	        IN(vfio_device_ioeventfd, fd)),
};

const struct decode_request *decode_find(unsigned long request)
{
	for (size_t i = 0; i < ARRAY_SIZE(requests); i++)
		if (requests[i].request == request)
			return &requests[i];
	return NULL;
}
