// SPDX-License-Identifier: GPL-2.0-only
/* --trace fault, of what an SMMU holds: each stall, and each group of page requests, from its
 * record to its end. */
#include <stdio.h>

#include "devices/smmuv3/private.h"

void smmu_see_stall(const struct smmu *s, const struct dma_token *token,
                    const struct smmu_stall *slot, const char *what)
{
	char pasid[24] = "", stag[24] = "";

	if (!(s->vm->log->topics & BIT(TRACE_FAULT)))
		return;
	if (token->pasid != DMA_NO_PASID)
		snprintf(pasid, sizeof(pasid), ", PASID %#x", token->pasid);
	if (slot)
		snprintf(stag, sizeof(stag), ", STAG %#x", smmu_stag(s, slot));
	log_trace(s->vm->log, TRACE_FAULT, "%s: StreamID %#x: %#llx%s: %s%s", s->config.name,
	          token->requester, (unsigned long long)token->iova, pasid, what, stag);
}

void smmu_see_answer(const struct smmu *s, const struct smmu_stall *slot, const char *what)
{
	trace(s->vm->log, TRACE_FAULT, "%s: StreamID %#x: STAG %#x: %s", s->config.name, slot->sid,
	      smmu_stag(s, slot), what);
}

void smmu_see_group(const struct fault_port *p, const char *group, const char *what)
{
	const struct smmu_endpoint *e = container_of(p, struct smmu_endpoint, port);

	trace(e->smmu->vm->log, TRACE_FAULT, "%s: StreamID %#x: %s: %s", e->smmu->config.name,
	      e->sid ? e->sid(e->ctx) : 0, group, what);
}
