#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# ATS: bare-metal guests whose DMA endpoint caches what an SMMU answers.
. "$SHARE/tests/host/lib.sh"
. "$SHARE/tests/host/bare-lib.sh"

# endpoint TEST [KEYS]: the DMA endpoint (with these keys besides) behind an SMMU; its StreamID is not 0
endpoint() { guest smmu_ats "$1" --iommu v,type=smmuv3 --rng "--dma-test=ats,iommu=v$2"; }

case_of "smmu: ATS: a device keeps what it has cached until it is told" endpoint full
case_of "smmu: ATS: split stages: the device has IPAs, and stage 2 comes after" endpoint split
case_of "smmu: ATS: what requests are answered, and what is recorded of them" endpoint answers
case_of "smmu: ATS: translated transactions are checked where that is asked for" endpoint checked
case_of "smmu: ATS: an invalidation is complete when what it took is no longer used" endpoint hold
case_of "smmu: ATS: a translation, and an invalidation, is of a PASID or of none" endpoint pasid ,pasid=20
case_of "smmu: ATS: pages come and go under transfers" endpoint "churn count=${SOAK:+100}500"
