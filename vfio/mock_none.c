// SPDX-License-Identifier: GPL-2.0-only
/* No mock device: its header is in the kernel's source, and no uAPI. */
#include "vfio/mock.h"

const struct mock_wire *const mock_wire = NULL;
