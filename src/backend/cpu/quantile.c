/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Quantiles of images. A double that is not negative orders as its bits do, so a value of given rank is found byte by
 * byte, from the highest: eight times over the image, without memory, and the same in any number of threads.
 */
#include "backend/cpu/cpu.h"
#include "base/error.h"

#include <math.h>
#include <string.h>

enum { BYTE = 8, TOP = 56, BUCKETS = 256 };

/* |x0| of value i, as bits. */
static uint64_t bits_at(const struct mdm_quantile *j, int64_t i)
{
    const double value = fabs(j->clean_x * (double)j->x[i] + j->clean_f * (double)j->f[i]);
    uint64_t bits;

    memcpy(&bits, &value, sizeof bits);
    return bits;
}

static double value_of(uint64_t bits)
{
    double value;

    memcpy(&value, &bits, sizeof value);
    return value;
}

/* The value of rank `rank`, counted from 0, among those of [first, first + n). */
static uint64_t ranked(const struct mdm_quantile *j, int64_t first, int64_t rank)
{
    uint64_t found = 0, known = 0;

    for (int shift = TOP; shift >= 0; shift -= BYTE) {
        int64_t count[BUCKETS] = {0};
        uint64_t bucket = 0;

        for (int64_t i = first; i < first + j->n; i++) {
            const uint64_t bits = bits_at(j, i);

            if ((bits & known) == found)
                count[bits >> shift & (BUCKETS - 1)]++;
        }
        while (rank >= count[bucket])
            rank -= count[bucket++];
        found |= bucket << shift;
        known |= (uint64_t)(BUCKETS - 1) << shift;
    }
    return found;
}

/* The one of the next rank, given the one of this. */
static uint64_t next_to(const struct mdm_quantile *j, int64_t first, int64_t rank, uint64_t bits)
{
    uint64_t next = UINT64_MAX;
    int64_t below = 0;

    for (int64_t i = first; i < first + j->n; i++) {
        const uint64_t at = bits_at(j, i);

        below += at <= bits;
        if (at > bits && at < next)
            next = at;
    }
    return below > rank + 1 ? bits : next;
}

static void find(const struct mdm_quantile *j, int64_t image)
{
    const double place = j->share * (double)(j->n - 1);
    const int64_t first = image * j->n, rank = (int64_t)place;
    const uint64_t low = ranked(j, first, rank);
    const double part = place - (double)rank, a = value_of(low);

    j->out[image] = part > 0 ? a + part * (value_of(next_to(j, first, rank, low)) - a) : a;
}

void mdm_quantile_on_host(const struct mdm_quantile *job)
{
    for (int64_t i = 0; i < job->batch; i++)
        find(job, i);
}

static void find_one(void *arg, int64_t i, int worker)
{
    (void)worker;
    find(arg, i);
}

int mdm_cpu_quantile(struct mdm_backend *b, const struct mdm_quantile *j)
{
    struct mdm_quantile copy = *j;

    return mdm_pool_run(mdm_cpu_of(b)->pool, j->batch, find_one, &copy);
}
