/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The buffers of the authors' diffusion, by their names and in their order: computed in double, kept as float32.
 */
#include "run/export.h"

#include "base/alloc.h"
#include "base/error.h"
#include "diffusion/discrete.h"
#include "tensorfile/torch_save.h"
#include "text/text.h"

#include <math.h>

enum { NAME_LENGTH = 128 };

static double abar_before(const struct mdm_schedule *s, int64_t t)
{
    return t ? s->abar[t - 1] : 1;
}

static double alphas(const struct mdm_schedule *s, int64_t t)
{
    return 1 - s->beta[t];
}

static double betas(const struct mdm_schedule *s, int64_t t)
{
    return s->beta[t];
}

static double abar(const struct mdm_schedule *s, int64_t t)
{
    return s->abar[t];
}

static double root(const struct mdm_schedule *s, int64_t t)
{
    return sqrt(s->abar[t]);
}

static double root_of_rest(const struct mdm_schedule *s, int64_t t)
{
    return sqrt(1 - s->abar[t]);
}

static double log_of_rest(const struct mdm_schedule *s, int64_t t)
{
    return log(1 - s->abar[t]);
}

static double root_of_inverse(const struct mdm_schedule *s, int64_t t)
{
    return sqrt(1 / s->abar[t]);
}

static double root_of_inverse_less_one(const struct mdm_schedule *s, int64_t t)
{
    return sqrt(1 / s->abar[t] - 1);
}

static double variance(const struct mdm_schedule *s, int64_t t)
{
    return s->variance[t];
}

static double log_of_variance(const struct mdm_schedule *s, int64_t t)
{
    return log(s->variance[t] > 1e-20 ? s->variance[t] : 1e-20);
}

static double coef1(const struct mdm_schedule *s, int64_t t)
{
    return s->coef1[t];
}

static double coef2(const struct mdm_schedule *s, int64_t t)
{
    return s->coef2[t];
}

static double even_weight(const struct mdm_schedule *s, int64_t t)
{
    (void)s;
    (void)t;
    return 1;
}

/* The last where there are weights alone. */
static const struct {
    const char *name;
    double (*value)(const struct mdm_schedule *s, int64_t t);
} buffers[] = {{"alphas", alphas},
               {"betas", betas},
               {"alphas_cumprod", abar},
               {"alphas_cumprod_prev", abar_before},
               {"sqrt_alphas_cumprod", root},
               {"sqrt_one_minus_alphas_cumprod", root_of_rest},
               {"log_one_minus_alphas_cumprod", log_of_rest},
               {"sqrt_recip_alphas_cumprod", root_of_inverse},
               {"sqrt_recipm1_alphas_cumprod", root_of_inverse_less_one},
               {"posterior_variance", variance},
               {"posterior_log_variance_clipped", log_of_variance},
               {"posterior_mean_coef1", coef1},
               {"posterior_mean_coef2", coef2},
               {"loss_weight", even_weight}};

static size_t count_of(const struct mdm_export_buffers *b)
{
    return MDM_LENGTH(buffers) - !b->weighted;
}

static int fill(struct mdm_export_buffers *b, const struct mdm_schedule *s)
{
    for (size_t i = 0; i < count_of(b); i++)
        for (int64_t t = 0; t < s->timesteps; t++) {
            const float x = (float)buffers[i].value(s, t);

            if (!isfinite(x))
                return mdm_fail(MASKDM_EINVAL,
                                "the authors' program computes %g for %s at time %lld of this schedule", (double)x,
                                buffers[i].name, (long long)t);
            b->table[(int64_t)i * s->timesteps + t] = x;
        }
    return MASKDM_OK;
}

int mdm_export_buffers_make(struct mdm_export_buffers *b, const maskdm_scheduler *scheduler, int weighted)
{
    const struct mdm_schedule *s = mdm_discrete_schedule(scheduler->process);

    *b = (struct mdm_export_buffers){.weighted = weighted};
    if (!s)
        return mdm_fail(MASKDM_EINVAL, "the model is of process %s, the authors' program has discrete alone",
                        mdm_options_text(scheduler->options, "process"));
    b->count = s->timesteps;
    b->table = mdm_need(MDM_LENGTH(buffers) * (size_t)s->timesteps, sizeof *b->table, "tables of a schedule");
    b->storage = mdm_need(MDM_LENGTH(buffers), sizeof *b->storage, "tables of a schedule");
    if (!b->table || !b->storage)
        return MASKDM_ENOMEM;
    for (size_t i = 0; i < MDM_LENGTH(buffers); i++)
        b->storage[i] = -1;
    return fill(b, s);
}

void mdm_export_buffers_free(struct mdm_export_buffers *b)
{
    mdm_free(b->table);
    mdm_free(b->storage);
}

int mdm_export_buffers_add(struct mdm_export_buffers *b, struct mdm_torch_writer *w, const char *prefix)
{
    char name[NAME_LENGTH];

    for (size_t i = 0; i < count_of(b); i++) {
        mdm_format(name, sizeof name, "%s%s", prefix, buffers[i].name);
        if (b->storage[i] >= 0)
            MDM_TRY(mdm_torch_writer_again(w, name, "F32", &b->count, 1, b->storage[i]));
        else
            MDM_TRY(mdm_torch_writer_add(w, name, "F32", &b->count, 1, b->table + (int64_t)i * b->count, NULL,
                                         &b->storage[i]));
    }
    return MASKDM_OK;
}

int mdm_export_betas(struct mdm_text *t, const maskdm_scheduler *scheduler)
{
    const struct mdm_schedule *s = mdm_discrete_schedule(scheduler->process);

    if (!s)
        return mdm_fail(MASKDM_EINVAL, "the model is of process %s, what it goes to has discrete alone",
                        mdm_options_text(scheduler->options, "process"));
    mdm_text_addf(t, ",\n  \"num_train_timesteps\": %lld,\n  \"trained_betas\": [", (long long)s->timesteps);
    for (int64_t i = 0; i < s->timesteps; i++) {
        mdm_text_add(t, i ? ", " : "");
        mdm_text_add_double(t, s->beta[i]);
    }
    mdm_text_add(t, "]");
    return MASKDM_OK;
}
