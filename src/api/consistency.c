/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Consistency tuning on a host's arrays (maskdm/scheduler.h): validate and forward.
 */
#include "diffusion/consistency.h"

#include "api/argument.h"
#include "backend/backend.h"
#include "base/alloc.h"
#include "base/checked.h"

static int read(struct mdm_consistency *out, const maskdm_scheduler *s, const maskdm_options *options)
{
    struct mdm_work work = {0};
    maskdm_options *o;
    int status;

    MDM_TRY(mdm_work_share(&work, mdm_options_handle(options)));
    status = mdm_options_extract(&o, options, &mdm_consistency_kind);
    if (status == MASKDM_OK) {
        status = mdm_consistency_read(out, s, o);
        mdm_options_release(&o);
    }
    return mdm_work_end(&work, status);
}

int maskdm_scheduler_consistency_times(const maskdm_scheduler *scheduler, const maskdm_options *options,
                                       int64_t stage, int64_t count, const double *numbers, double *times,
                                       double *below)
{
    struct mdm_consistency c;

    MDM_NEED(scheduler);
    MDM_NEED_COUNT(count);
    MDM_NEED_ARRAY(numbers, count);
    MDM_NEED_ARRAY(times, count);
    MDM_NEED_ARRAY(below, count);
    MDM_TRY(read(&c, scheduler, options));
    if (stage < 0 || stage >= c.told.stages)
        return mdm_fail(MASKDM_EINVAL, "stage %lld is outside 0 .. %lld", (long long)stage,
                        (long long)c.told.stages - 1);
    for (int64_t i = 0; i < count; i++)
        MDM_TRY(mdm_time_draw_check(&c.draw, numbers[i]));
    for (int64_t i = 0; i < count; i++) {
        times[i] = mdm_time_draw_of(&c.draw, scheduler->process, numbers[i]);
        below[i] = mdm_consistency_time(&c, scheduler, stage, times[i]);
    }
    return MASKDM_OK;
}

struct arrays {
    int64_t batch, n;
    const float *x0, *noise, *output_t, *output_r;
    const double *t, *r;
    double *losses;
    float *gradient;
};

static int check(const maskdm_scheduler *s, const struct arrays *a)
{
    const struct mdm_process *p = s->process;

    for (int64_t b = 0; b < a->batch; b++) {
        MDM_TRY(mdm_process_check(p, a->t[b]));
        if (a->r[b] != p->image)
            MDM_TRY(mdm_process_check(p, a->r[b]));
        if (!(a->r[b] < a->t[b]))
            return mdm_fail(MASKDM_EINVAL, "r of image %lld is at time %g, not below t, %g", (long long)b, a->r[b],
                            a->t[b]);
    }
    return MASKDM_OK;
}

/* Image b; said, target: memory for one. */
static void compare(const struct arrays *a, const struct mdm_consistency_facts *f, int64_t b, float *said,
                    float *target)
{
    static const int32_t first = 0;
    const int64_t at = b * a->n;
    double unseen;
    const struct mdm_loss job = {.batch = 1,
                                 .height = 1,
                                 .width = 1,
                                 .channels = a->n,
                                 .patch = 1,
                                 .visible = 1,
                                 .kind = MDM_LOSS_PSEUDO_HUBER_IMAGE,
                                 .delta = f->delta,
                                 .pred = said,
                                 .target = target,
                                 .index = &first,
                                 .weight = &f->weight,
                                 .scale = 1 / (double)a->batch,
                                 .loss = a->losses ? a->losses + b : &unseen,
                                 .dpred = a->gradient ? a->gradient + at : NULL};

    mdm_mix_on_host(&(struct mdm_mix){.n = a->n,
                                      .count = f->teaches ? 2 : 1,
                                      .x = {a->output_t + at, a->output_r + at},
                                      .a = {1, -f->teacher},
                                      .y = said});
    mdm_mix_on_host(&(struct mdm_mix){
        .n = a->n, .count = 2, .x = {a->x0 + at, a->noise + at}, .a = {f->target.a, f->target.b}, .y = target});
    mdm_loss_on_host(&job);
}

int maskdm_scheduler_consistency_loss(const maskdm_scheduler *scheduler, const maskdm_options *options, int64_t batch,
                                      int64_t n, const float *x0, const float *noise, const double *times,
                                      const double *below, const float *output, const float *output_below,
                                      double *losses, float *gradient)
{
    const struct arrays a = {batch, n, x0, noise, output, output_below, times, below, losses, gradient};
    struct mdm_consistency c;
    float *said;
    int64_t all;

    MDM_NEED(scheduler);
    MDM_NEED_COUNT(batch);
    if (n < 1 || mdm_mul_i64(&all, batch, n) || n > INT64_MAX / 16)
        return mdm_fail(MASKDM_EINVAL, "%s: %lld images of %lld values are out of range", __func__, (long long)batch,
                        (long long)n);
    MDM_NEED_ARRAY(x0, batch);
    MDM_NEED_ARRAY(noise, batch);
    MDM_NEED_ARRAY(times, batch);
    MDM_NEED_ARRAY(below, batch);
    MDM_NEED_ARRAY(output, batch);
    MDM_NEED_ARRAY(output_below, batch);
    MDM_TRY(read(&c, scheduler, options));
    MDM_TRY(check(scheduler, &a));
    said = mdm_need(2 * (size_t)n, sizeof *said, "images of a consistency loss");
    if (!said)
        return MASKDM_ENOMEM;
    for (int64_t b = 0; b < batch; b++) {
        const struct mdm_consistency_facts f = mdm_consistency_facts(&c, scheduler, times[b], below[b]);

        compare(&a, &f, b, said, said + n);
    }
    mdm_free(said);
    return MASKDM_OK;
}
