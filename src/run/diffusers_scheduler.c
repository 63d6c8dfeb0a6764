/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The settings of diffusers' schedulers: what of them is the process that a network was trained for, and what is the
 * way in which that scheduler draws.
 */
#include "run/diffusers.h"

#include "base/error.h"
#include "text/json.h"

#include <string.h>

enum { PROCESS, SAMPLER }; /* handles */

/* Of every scheduler. */
static const struct mdm_config_row process_rows[] = {
    {.key = "_class_name"},
    {.key = "_diffusers_version"},
    {.key = "_name_or_path"},
    {.key = "_use_default_values"},
    {.key = "_commit_hash"},
    /* See set_schedule(). */
    {.key = "num_train_timesteps"},
    {.key = "beta_schedule"},
    {.key = "beta_start"},
    {.key = "beta_end"},
    {.key = "trained_betas"},
    {.key = "prediction_type",
     .option = "prediction",
     .absent = "epsilon",
     .only = "epsilon|sample|v_prediction",
     .map = "epsilon=noise|sample=x0|v_prediction=v"},
    {.key = "rescale_betas_zero_snr", .option = "zero_terminal_snr", .absent = "false"},
    {.key = "tensor_format"}, /* "pt" of the first versions */
    {.key = NULL},
};

/* How x0 is kept within bounds. */
static const struct mdm_config_row clip_rows[] = {
    {.key = "clip_sample", .option = "clip", .to = SAMPLER, .absent = "true"},
    {.key = "clip_sample_range", .option = "clip_range", .to = SAMPLER, .absent = "1"},
    /* See set_threshold(). */
    {.key = "thresholding"},
    {.key = "dynamic_thresholding_ratio"},
    {.key = "sample_max_value"},
    {.key = NULL},
};
static const struct mdm_config_row unclipped_rows[] = {
    {.key = "clip_sample", .option = "clip", .to = SAMPLER, .absent = "false"},
    {.key = "clip_sample_range", .option = "clip_range", .to = SAMPLER, .absent = "1"},
    {.key = NULL},
};

/* Which times it visits: as those that step from one table entry to another, or those that interpolate. */
#define SPACING(standard)                                                                              \
    {.key = "timestep_spacing", .option = "spacing", .to = SAMPLER, .absent = (standard),             \
     .only = "leading|trailing|linspace"},                                                             \
    {.key = "steps_offset", .option = "steps_offset", .to = SAMPLER, .absent = "0"}
static const struct mdm_config_row leading_rows[] = {SPACING("leading"), {.key = NULL}};
static const struct mdm_config_row linspace_rows[] = {
    SPACING("linspace"),
    {.key = "use_karras_sigmas"}, /* see set_karras() */
    {.key = "use_exponential_sigmas", .absent = "false", .null = "false", .only = "false"},
    {.key = "use_beta_sigmas", .absent = "false", .null = "false", .only = "false"},
    {.key = NULL},
};

static const struct mdm_config_row ddpm_rows[] = {
    {.key = "variance_type",
     .option = "variance",
     .to = SAMPLER,
     .absent = "fixed_small",
     .only = "fixed_small|fixed_small_log|fixed_large|learned_range",
     .map = "fixed_small_log=fixed_small"},
    {.key = NULL},
};

static const struct mdm_config_row ddim_rows[] = {
    {.key = "set_alpha_to_one",
     .option = "final_sigma",
     .to = SAMPLER,
     .absent = "true",
     .only = "true|false",
     .map = "true=zero|false=sigma_min"},
    {.key = NULL},
};

/* Of a last sigma, and of sigmas from elsewhere. */
#define FINAL_SIGMA                                                                                    \
    {.key = "final_sigmas_type", .option = "final_sigma", .to = SAMPLER, .absent = "zero",            \
     .only = "zero|sigma_min"}
#define OWN_SIGMAS                                                                                     \
    {.key = "sigma_min", .absent = "null", .null = "null", .only = "null"},                           \
    {.key = "sigma_max", .absent = "null", .null = "null", .only = "null"}
static const struct mdm_config_row euler_rows[] = {
    FINAL_SIGMA,
    OWN_SIGMAS,
    {.key = "interpolation_type", .absent = "linear", .only = "linear"},
    {.key = "timestep_type", .absent = "discrete", .only = "discrete"},
    {.key = NULL},
};
static const struct mdm_config_row no_rows[] = {{.key = NULL}};

/* Of those that look back. */
#define MULTISTEP                                                                                      \
    FINAL_SIGMA, {.key = "solver_order", .option = "order", .to = SAMPLER, .absent = "2"},            \
        {.key = "thresholding"}, {.key = "dynamic_thresholding_ratio"}, {.key = "sample_max_value"},  \
        {.key = "use_flow_sigmas", .absent = "false", .only = "false"},                               \
        {.key = "flow_shift"}, {.key = "use_dynamic_shifting", .absent = "false", .only = "false"},   \
        {.key = "time_shift_type"}
static const struct mdm_config_row dpmpp_rows[] = {
    MULTISTEP,
    {.key = "algorithm_type",
     .option = "sde",
     .to = SAMPLER,
     .absent = "dpmsolver++",
     .only = "dpmsolver++|sde-dpmsolver++",
     .map = "dpmsolver++=false|sde-dpmsolver++=true"},
    {.key = "solver_type", .option = "dpmpp_kind", .to = SAMPLER, .absent = "midpoint", .only = "midpoint|heun"},
    {.key = "lower_order_final",
     .option = "low_order_below",
     .to = SAMPLER,
     .absent = "true",
     .map = "true=15|false=0"},
    {.key = "euler_at_final", .option = "euler_at_final", .to = SAMPLER, .absent = "false"},
    {.key = "use_lu_lambdas", .absent = "false", .only = "false"},
    {.key = "lambda_min_clipped", .absent = "-inf", .only = "-inf|-Infinity"},
    {.key = "variance_type", .absent = "null", .null = "null", .only = "null"},
    {.key = NULL},
};
static const struct mdm_config_row unipc_rows[] = {
    MULTISTEP,
    OWN_SIGMAS,
    {.key = "predict_x0", .absent = "true", .only = "true"},
    {.key = "solver_type", .option = "unipc_kind", .to = SAMPLER, .absent = "bh2", .only = "bh1|bh2"},
    {.key = "lower_order_final",
     .option = "low_order_below",
     .to = SAMPLER,
     .absent = "true",
     .map = "true=100001|false=0"},
    {.key = "disable_corrector", .absent = "", .only = ""},
    {.key = "solver_p", .absent = "null", .null = "null", .only = "null"},
    {.key = "shift_terminal", .absent = "null", .null = "null", .only = "null"},
    {.key = NULL},
};

/* ---- betas ---- */

static const struct mdm_config_row schedule_rows[] = {
    {.key = "num_train_timesteps", .option = "timesteps", .absent = "1000"},
    {.key = "beta_schedule",
     .option = "schedule",
     .absent = "linear",
     .only = "linear|scaled_linear|squaredcos_cap_v2|sigmoid|laplace",
     .map = "squaredcos_cap_v2=cosine|sigmoid=sigmoid_betas"},
    {.key = NULL},
};
static const struct mdm_config_row end_rows[] = {
    {.key = "beta_start", .option = "beta_start", .absent = "0.0001"},
    {.key = "beta_end", .option = "beta_end", .absent = "0.02"},
    {.key = NULL},
};
static const struct mdm_config_row heun_end_rows[] = {
    {.key = "beta_start", .option = "beta_start", .absent = "0.00085"},
    {.key = "beta_end", .option = "beta_end", .absent = "0.012"},
    {.key = NULL},
};
static const struct mdm_config_row given_rows[] = {
    {.key = "trained_betas", .option = "given_betas"},
    {.key = "num_train_timesteps", .option = "timesteps", .absent = "1000"},
    {.key = NULL},
};

/* Betas that are listed go before a formula. Some of these take no ends, whatever a config says of them. */
static int set_schedule(maskdm_options *const *o, const struct mdm_config *c, const struct mdm_config_row *ends,
                        const struct mdm_log *log)
{
    const struct mdm_config_entry *given = mdm_config_find(c, "trained_betas");

    if (given && given->event != MDM_JSON_NULL) {
        MDM_TRY(mdm_options_set(o[PROCESS], "schedule", "given"));
        return mdm_config_apply(o, c, given_rows, log);
    }
    MDM_TRY(mdm_config_apply(o, c, schedule_rows, log));
    return mdm_options_belongs(o[PROCESS], "beta_start") ? mdm_config_apply(o, c, ends, log) : MASKDM_OK;
}

/* ---- schedulers ---- */

enum { TABLES = 4 };

static const struct scheduler {
    const char *name, *sampler;
    const char *always; /* options of the sampler that no setting says */
    int multistep;
    const struct mdm_config_row *ends, *table[TABLES];
} schedulers[] = {
    {"DDPMScheduler", "ddpm", "", 0, end_rows, {process_rows, clip_rows, leading_rows, ddpm_rows}},
    {"DDIMScheduler", "ddim", "step_noise=network", 0, end_rows, {process_rows, clip_rows, leading_rows, ddim_rows}},
    {"EulerDiscreteScheduler", "euler", "clip=false", 0, end_rows,
     {process_rows, linspace_rows, euler_rows, no_rows}},
    {"EulerAncestralDiscreteScheduler", "euler_ancestral", "clip=false", 0, end_rows,
     {process_rows, linspace_rows, no_rows, no_rows}},
    {"HeunDiscreteScheduler", "heun", "", 0, heun_end_rows, {process_rows, linspace_rows, unclipped_rows, no_rows}},
    {"DPMSolverMultistepScheduler", "dpmpp", "clip=false", 1, end_rows,
     {process_rows, linspace_rows, dpmpp_rows, no_rows}},
    {"UniPCMultistepScheduler", "unipc", "clip=false", 1, end_rows,
     {process_rows, linspace_rows, unipc_rows, no_rows}}};

static int fail_class(const char *name)
{
    struct mdm_text list = {0};
    int status;

    for (size_t i = 0; i < MDM_LENGTH(schedulers); i++)
        mdm_text_addf(&list, "%s%s", i ? ", " : "", schedulers[i].name);
    status = mdm_text_ok(&list);
    if (status >= 0)
        status = mdm_fail(MASKDM_ENOTSUP, "\"_class_name\" is \"%.80s\", which is not built; there are %s", name,
                          list.data);
    mdm_text_free(&list);
    return status;
}

/* Karras' levels lie between those of the spaced times, or of the whole table where the solver looks back; such a one
 * tells the network whole times. */
static int set_karras(const struct scheduler *s, maskdm_options *const *o, const struct mdm_config *c)
{
    const struct mdm_config_entry *karras = mdm_config_find(c, "use_karras_sigmas");
    const int cosine = !strcmp(mdm_options_text(o[PROCESS], "schedule"), "cosine");

    if (!karras || karras->event == MDM_JSON_NULL || karras->event == MDM_JSON_FALSE)
        return MASKDM_OK;
    if (karras->event != MDM_JSON_TRUE)
        return mdm_fail(MASKDM_EFORMAT, "\"use_karras_sigmas\" is \"%.80s\", neither true nor false", karras->text);
    MDM_TRY(mdm_options_set(o[SAMPLER], "karras_ends",
                            s->multistep ? "linspace" : mdm_options_text(o[SAMPLER], "spacing")));
    if (s->multistep)
        MDM_TRY(mdm_options_set(o[SAMPLER], "told_times",
                                cosine && !strcmp(s->sampler, "dpmpp") ? "below" : "nearest"));
    return mdm_options_set(o[SAMPLER], "spacing", "karras");
}

static const struct mdm_config_row threshold_rows[] = {
    {.key = "thresholding", .option = "threshold", .to = SAMPLER},
    {.key = "dynamic_thresholding_ratio", .option = "threshold_share", .to = SAMPLER, .absent = "0.995"},
    {.key = "sample_max_value", .option = "threshold_max", .to = SAMPLER, .absent = "1"},
    {.key = NULL},
};

/* The other two settings mean nothing without the first. */
static int set_threshold(maskdm_options *const *o, const struct mdm_config *c, const struct mdm_log *log)
{
    const struct mdm_config_entry *on = mdm_config_find(c, "thresholding");

    if (!on || on->event == MDM_JSON_NULL || on->event == MDM_JSON_FALSE)
        return MASKDM_OK;
    return mdm_config_apply(o, c, threshold_rows, log);
}

int mdm_diffusers_scheduler(maskdm_options *scheduler, maskdm_options *sampler, const struct mdm_config *c,
                            const struct mdm_log *log)
{
    const struct mdm_config_entry *name = mdm_config_find(c, "_class_name");
    maskdm_options *const o[] = {[PROCESS] = scheduler, [SAMPLER] = sampler};
    const struct scheduler *s = schedulers;

    while (s < schedulers + MDM_LENGTH(schedulers) && (!name || strcmp(s->name, name->text)))
        s++;
    if (s == schedulers + MDM_LENGTH(schedulers))
        return fail_class(name ? name->text : "(missing)");
    MDM_TRY(mdm_config_check(c, s->table, TABLES));
    MDM_TRY(mdm_options_set(sampler, "sampler", s->sampler));
    MDM_TRY(mdm_options_parse(sampler, s->always));
    for (int k = 0; k < TABLES; k++)
        MDM_TRY(mdm_config_apply(o, c, s->table[k], log));
    MDM_TRY(set_schedule(o, c, s->ends, log));
    MDM_TRY(set_threshold(o, c, log));
    return set_karras(s, o, c);
}
