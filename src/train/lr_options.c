/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Warm-up and schedule of the learning rate.
 */
#include "train/lr.h"

#include "base/error.h"

#include <math.h>

static const struct mdm_option lr_rows[] = {
    {MDM_CHOICE(mdm_lr_options, lr_schedule), .standard = "constant", .named = mdm_lr_schedule_name,
     .alias = "lr_scheduler|lr_scheduler_type|scheduler_type|lr_policy|lr_decay|lr_decay_style",
     .help = "how the learning rate goes on behind the warm-up: it stays, falls as half a cosine, stays and falls at "
             "the end, or falls as the inverse square root of the step"},
    {MDM_OPTION(mdm_lr_options, warmup_steps), .standard = "0", .min = 0, .max = INFINITY, .unit = "steps",
     .alias = "warmup|lr_warmup|lr_warmup_steps|warmup_iters|num_warmup_steps",
     .help = "steps over which the learning rate grows to its value; fractions count"},
    {MDM_CHOICE(mdm_lr_options, warmup_shape), .standard = "linear", .named = mdm_lr_shape_name,
     .alias = "warmup_type", .help = "how it grows"},
    {MDM_OPTION(mdm_lr_options, warmup_from), .standard = "0", .min = 0, .max = 1,
     .alias = "warmup_start|warmup_init|warmup_start_lr",
     .help = "share of the learning rate that the warm-up begins with"},
    {MDM_OPTION(mdm_lr_options, lr_steps), .min = 1, .max = INFINITY, .unit = "steps", .when = "cosine|wsd",
     .alias = "lr_total_steps|lr_decay_iters|num_training_steps|t_max",
     .help = "steps at whose end the schedule is down; in a run unset: all of its steps"},
    {MDM_OPTION(mdm_lr_options, decay_steps), .min = 1, .max = INFINITY, .unit = "steps", .when = "wsd",
     .alias = "num_decay_steps|cooldown_steps|cooldown|cooldown_iters",
     .help = "steps of the fall at the end; unset: the last fifth"},
    {MDM_CHOICE(mdm_lr_options, decay_shape), .standard = "1-sqrt", .named = mdm_lr_shape_name, .when = "wsd",
     .alias = "decay_type|cooldown_type", .help = "how it falls"},
    {MDM_OPTION(mdm_lr_options, decay_to), .standard = "0", .min = 0, .max = 1, .when = "cosine|wsd",
     .alias = "min_lr_ratio|min_lr_rate|min_lr|final_lr_ratio|end_factor|eta_min",
     .help = "share of the learning rate that is left at the end"},
    {MDM_OPTION(mdm_lr_options, decay_after), .required = 1, .min = 1e-9, .max = INFINITY, .unit = "steps",
     .when = "inverse_sqrt", .alias = "ref_batches|lr_ref_batches|decay_start",
     .help = "step from which the learning rate falls; fractions count"},
};
const struct mdm_option_table mdm_lr_options = {"lr",
                                                "",
                                                "warm-up and schedule of the learning rate",
                                                lr_rows,
                                                MDM_LENGTH(lr_rows),
                                                sizeof(struct mdm_lr_options)};

/* What is left unset is the last fifth. */
static int settle_decay(struct mdm_lr_options *r, const maskdm_options *o)
{
    if (!r->decay_steps && !(r->decay_steps = r->lr_steps / 5))
        r->decay_steps = 1;
    if (r->warmup_steps + (double)r->decay_steps > (double)r->lr_steps)
        return mdm_fail(MASKDM_EINVAL, "%s %g and %s %lld are more than %s %lld", mdm_options_said(o, "warmup_steps"),
                        r->warmup_steps, mdm_options_said(o, "decay_steps"), (long long)r->decay_steps,
                        mdm_options_said(o, "lr_steps"), (long long)r->lr_steps);
    return MASKDM_OK;
}

int mdm_lr_read(struct mdm_lr_options *out, const maskdm_options *o)
{
    mdm_options_read(o, &mdm_lr_options, out);
    if (!mdm_lr_form_of(out)->ends)
        return MASKDM_OK;
    if (!out->lr_steps)
        return mdm_fail(MASKDM_EINVAL, "%s %s needs %s, the steps at whose end it is down",
                        mdm_options_said(o, "lr_schedule"), mdm_lr_form_of(out)->name,
                        mdm_options_said(o, "lr_steps"));
    if (mdm_lr_form_of(out)->decays)
        return settle_decay(out, o);
    if (out->warmup_steps >= (double)out->lr_steps)
        return mdm_fail(MASKDM_EINVAL, "%s %g leave none of %s %lld", mdm_options_said(o, "warmup_steps"),
                        out->warmup_steps, mdm_options_said(o, "lr_steps"), (long long)out->lr_steps);
    return MASKDM_OK;
}

/* A warm-up that nobody asked for takes a quarter of the schedule at most. */
static int shorten_warmup(maskdm_options *o, struct mdm_lr_options *r)
{
    if (mdm_options_is_set(o, "warmup_steps") || r->warmup_steps <= (double)r->lr_steps / 4)
        return MASKDM_OK;
    MDM_TRY(mdm_options_set_int(o, "warmup_steps", r->lr_steps / 4));
    r->warmup_steps = (double)(r->lr_steps / 4);
    return MASKDM_OK;
}

/* A rate that falls behind the mask does so in what the warm-up leaves, and one that nobody asked for only there. */
static int settle_fall(maskdm_options *o, const struct mdm_lr_options *r, int64_t masked)
{
    const int64_t left = r->lr_steps - (int64_t)ceil(fmin(r->warmup_steps, (double)r->lr_steps));

    if (!mdm_lr_form_of(r)->decays || r->decay_steps)
        return MASKDM_OK;
    if (left < 1 && !mdm_options_is_set(o, "lr_schedule") && !mdm_options_is_set(o, "lr_steps"))
        return mdm_options_set(o, "lr_schedule", "constant");
    if (left < 1 || !masked || masked >= r->lr_steps)
        return MASKDM_OK;
    return mdm_options_set_int(o, "decay_steps", r->lr_steps - masked < left ? r->lr_steps - masked : left);
}

static int settle_end(maskdm_options *o, struct mdm_lr_options *r, int64_t steps, int64_t masked)
{
    if (!r->lr_steps)
        r->lr_steps = steps;
    MDM_TRY(shorten_warmup(o, r));
    MDM_TRY(settle_fall(o, r, masked));
    mdm_options_read(o, &mdm_lr_options, r); /* which may have become constant */
    return mdm_lr_form_of(r)->ends && !r->lr_steps ? mdm_options_set_int(o, "lr_steps", steps) : MASKDM_OK;
}

int mdm_lr_settle(maskdm_options *o, int64_t steps, int64_t masked)
{
    struct mdm_lr_options r;

    mdm_options_read(o, &mdm_lr_options, &r);
    MDM_TRY(mdm_lr_form_of(&r)->ends ? settle_end(o, &r, steps, masked) : MASKDM_OK);
    MDM_TRY(mdm_lr_read(&r, o));
    if (mdm_lr_form_of(&r)->decays && r.lr_steps < steps && r.decay_to == 0)
        return mdm_fail(MASKDM_EINVAL,
                        "%s %lld is less than %s %lld, and behind it the learning rate is 0; --override "
                        "lr_steps=%lld lets a run go on further than it began",
                        mdm_options_said(o, "lr_steps"), (long long)r.lr_steps, mdm_options_said(o, "steps"),
                        (long long)steps, (long long)steps);
    if (mdm_lr_form_of(&r)->turns && r.lr_steps < steps)
        return mdm_fail(MASKDM_EINVAL, "%s %lld is less than %s %lld, and behind it a %s goes up again",
                        mdm_options_said(o, "lr_steps"), (long long)r.lr_steps, mdm_options_said(o, "steps"),
                        (long long)steps, mdm_lr_form_of(&r)->name);
    return MASKDM_OK;
}
