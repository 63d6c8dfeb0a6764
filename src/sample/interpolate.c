/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Images on the way from one seed to the next: frames at even distances, the first and the last of which are the
 * seeds' own, as are those between that fall upon one.
 */
#include "sample/interpolate.h"

#include "base/alloc.h"
#include "base/error.h"

int mdm_between_make(struct mdm_between *out, const uint64_t *seed, int64_t seeds, int64_t frames)
{
    *out = (struct mdm_between){0};
    if (seeds < 2)
        return mdm_fail(MASKDM_EINVAL, "a way leads from one seed to another, and %lld are given", (long long)seeds);
    if (frames < seeds)
        return mdm_fail(MASKDM_EINVAL, "%lld frames on a way by %lld seeds", (long long)frames, (long long)seeds);
    out->from = mdm_need((size_t)frames, sizeof *out->from, "seeds");
    out->to = mdm_need((size_t)frames, sizeof *out->to, "seeds");
    out->way = mdm_need((size_t)frames, sizeof *out->way, "seeds");
    if (!out->from || !out->to || !out->way) {
        mdm_between_free(out);
        return MASKDM_ENOMEM;
    }
    for (int64_t i = 0; i < frames; i++) {
        const int64_t legs = seeds - 1, last = frames - 1, leg = i < last ? i * legs / last : legs - 1;

        out->from[i] = seed[leg];
        out->to[i] = seed[leg + 1];
        out->way[i] = (double)(i * legs - leg * last) / (double)last;
    }
    return MASKDM_OK;
}

void mdm_between_free(struct mdm_between *b)
{
    mdm_free(b->from);
    mdm_free(b->to);
    mdm_free(b->way);
    *b = (struct mdm_between){0};
}

struct mdm_seeds mdm_between_seeds(const struct mdm_between *b)
{
    return (struct mdm_seeds){b->from, b->to, b->way};
}

int mdm_sampler_run_between(maskdm_sampler *s, const uint64_t *seed, int64_t seeds, int64_t frames,
                            const int32_t *labels, int sample_type, void *out, size_t row_stride, size_t image_stride)
{
    struct mdm_between b;
    int status;

    MDM_TRY(mdm_between_make(&b, seed, seeds, frames));
    status = mdm_sampler_run(s, frames, mdm_between_seeds(&b), labels, sample_type, out, row_stride, image_stride);
    mdm_between_free(&b);
    return status;
}
