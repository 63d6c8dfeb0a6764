/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Where the images of a set come from several sources of which each has a weight: whose turn it is at a position of
 * the endless stream, and which of its images. Both follow from seed and position alone, so that nothing is stored
 * and a resumed run needs nothing.
 */
#ifndef MASKDM_DATA_SHARES_H
#define MASKDM_DATA_SHARES_H

#include "data/data.h"

struct mdm_shares;

/* *out stays NULL where the images are of one source. Once the set has been read. */
int mdm_shares_create(struct mdm_shares **out, const maskdm_data *data);
int64_t mdm_shares_draw(const struct mdm_shares *s, uint64_t seed, uint64_t position);

#endif
