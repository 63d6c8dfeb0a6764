/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Sums over the ranks, bucket by bucket: each rank gets its own piece of a bucket from all others, adds the pieces up
 * in an order that hangs on their number alone, and hands the sum to all. That moves what the best all-reduce moves,
 * twice (N - 1) / N of the values, while MPI's own leaves the order of the sum to the implementation.
 */
#include "comm/comm.h"

#include <string.h>

enum { BUCKET = 1 << 20 }; /* values, 4 MiB: far beyond where a network's latency counts */

static int take_room(maskdm_comm *c)
{
    const size_t room = (size_t)BUCKET + (size_t)c->carrier->size;

    if (!c->mine)
        c->mine = mdm_comm_need(c, room, sizeof *c->mine, "sums over processes");
    if (c->mine && !c->theirs)
        c->theirs = mdm_comm_need(c, room, sizeof *c->theirs, "sums over processes");
    return c->theirs ? MASKDM_OK : MASKDM_ENOMEM;
}

/* Pieces from .. from + count into the first of them. */
static void add_halves(float *pieces, size_t piece, int from, int count)
{
    const int half = count / 2;
    float *restrict first = pieces + (size_t)from * piece;
    const float *restrict second = first + (size_t)half * piece;

    if (count < 2)
        return;
    add_halves(pieces, piece, from, half);
    add_halves(pieces, piece, from + half, count - half);
    for (size_t i = 0; i < piece; i++)
        first[i] += second[i];
}

static int sum_bucket(maskdm_comm *c, float *values, size_t count)
{
    const size_t ranks = (size_t)c->carrier->size, piece = (count + ranks - 1) / ranks;

    memcpy(c->mine, values, count * sizeof *values);
    memset(c->mine + count, 0, (ranks * piece - count) * sizeof *values);
    MDM_TRY(mdm_comm_swap(c, c->theirs, c->mine, piece * sizeof *values));
    add_halves(c->theirs, piece, 0, (int)ranks);
    MDM_TRY(mdm_comm_gather(c, c->mine, c->theirs, piece * sizeof *values));
    memcpy(values, c->mine, count * sizeof *values);
    return MASKDM_OK;
}

int mdm_comm_sum(maskdm_comm *c, float *values, size_t count)
{
    if (c->carrier->size == 1)
        return MASKDM_OK;
    MDM_TRY(take_room(c));
    for (size_t at = 0; at < count; at += BUCKET)
        MDM_TRY(sum_bucket(c, values + at, count - at < BUCKET ? count - at : BUCKET));
    return MASKDM_OK;
}
