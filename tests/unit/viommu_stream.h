/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef TESTS_UNIT_VIOMMU_STREAM_H
#define TESTS_UNIT_VIOMMU_STREAM_H

#include "tests/unit/viommu_model.h"

/* Random numbers, the same ones from a seed on each time. */
void stream_seed(u64 seed);
u64 stream_next(void);
u64 stream_below(u64 n);
bool stream_one_in(u64 n);

/* An address that others are near to. */
u64 stream_address(const struct model *m);
/* A request, its length and the room for its answer: mostly as they should be. */
void stream_request(const struct model *m, struct model_request *rq);
/* Features that the driver does not take: mostly none. */
u64 stream_features(void);
struct viommu_config stream_config(void);

#endif
