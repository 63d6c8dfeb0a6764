/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Words of other programs and what they mean here.
 */
#include "run/convert_said.h"

#include "base/error.h"
#include "diffusion/scheduler.h"
#include "text/number.h"

#include <string.h>

/* What a program calls an option, and its words for the option's values; none: numbers. */
struct word {
    const char *option, *called;
    const char *const (*meaning)[2];
    int meanings;
};

static const char *const predictions[][2] = {{"pred_noise", "noise"}, {"noise", "noise"}, {"eps", "noise"},
                                             {"epsilon", "noise"},    {"pred_x0", "x0"},  {"x0", "x0"},
                                             {"sample", "x0"},        {"pred_v", "v"},    {"v", "v"},
                                             {"v_prediction", "v"}};
static const char *const schedules[][2] = {{"linear", "linear"}, {"cosine", "cosine"}};

static const struct word words[] = {
    {"heads", "encoder_heads|num_heads|heads|n_heads|n_head|num_attention_heads", NULL, 0},
    {"prediction", "objective|prediction|prediction_type|parameterization", predictions, MDM_LENGTH(predictions)},
    {"schedule", "beta_schedule|noise_schedule", schedules, MDM_LENGTH(schedules)},
    {"timesteps", "timesteps|num_timesteps|num_train_timesteps|diffusion_steps", NULL, 0},
};

static int is_among(const char *list, const char *word)
{
    const size_t n = strlen(word);

    for (const char *at = list; (at = strstr(at, word)) != NULL; at += n)
        if ((at == list || at[-1] == '|') && (at[n] == '|' || !at[n]))
            return 1;
    return 0;
}

/* By the last part of a key's path. */
static const struct word *said_of(const char *key)
{
    const char *dot = strrchr(key, '.');

    for (size_t i = 0; i < MDM_LENGTH(words); i++)
        if (is_among(words[i].called, dot ? dot + 1 : key))
            return &words[i];
    return NULL;
}

/* In the option's own words. */
static int translate(const char **value, const struct word *w, const struct mdm_tensorfile_entry *e)
{
    int64_t number;

    *value = e->value;
    for (int i = 0; i < w->meanings; i++)
        if (!strcmp(w->meaning[i][0], e->value)) {
            *value = w->meaning[i][1];
            return MASKDM_OK;
        }
    if (!w->meaning && mdm_parse_i64(e->value, &number) == 0)
        return MASKDM_OK;
    return mdm_fail(MASKDM_EFORMAT, "the file says %s \"%.80s\" (%.80s), which has no meaning here", w->option,
                    e->value, e->key);
}

static int take(maskdm_options *o, const struct mdm_tensorfile_entry *const said[MDM_LENGTH(words)],
                const struct mdm_tensorfile_entry *e, const struct mdm_log *log)
{
    const struct word *w = said_of(e->key);
    const struct mdm_tensorfile_entry *before = said[w - words];
    const char *value;

    MDM_TRY(translate(&value, w, e));
    if (!mdm_options_is_set(o, w->option)) {
        if (mdm_options_set(o, w->option, value) < 0)
            return mdm_fail_prefix(MASKDM_EFORMAT, "what the file says (%.80s)", e->key);
        mdm_log_line(log, MASKDM_LOG_INFO, "%s %s, as the file says (%.80s)", w->option, value, e->key);
        return MASKDM_OK;
    }
    if (!strcmp(mdm_options_text(o, w->option), value))
        return MASKDM_OK;
    if (before)
        return mdm_fail(MASKDM_EFORMAT, "the file says %s %.80s (%.80s) and %.80s (%.80s)", w->option, before->value,
                        before->key, e->value, e->key);
    return mdm_fail(MASKDM_EINVAL, "%s is %s, but the file says %s (%.80s)", mdm_options_said(o, w->option),
                    mdm_options_text(o, w->option), value, e->key);
}

int mdm_convert_follow(maskdm_options *o, const struct mdm_tensorfile *s, const struct mdm_log *log)
{
    const struct mdm_tensorfile_entry *said[MDM_LENGTH(words)] = {NULL};

    for (int64_t i = 0; i < s->meta_count; i++) {
        const struct mdm_tensorfile_entry *e = &s->meta[i];
        const struct word *w = said_of(e->key);
        int given;

        if (!w)
            continue;
        given = mdm_options_is_set(o, w->option);
        MDM_TRY(take(o, said, e, log));
        if (!given)
            said[w - words] = e;
    }
    return MASKDM_OK;
}

int mdm_convert_is_own(const struct mdm_tensorfile *s)
{
    return mdm_tensorfile_meta(s, "maskdm.sets") != NULL;
}

static int disagree(const maskdm_options *o, const char *name, const maskdm_options *theirs)
{
    return mdm_fail(MASKDM_EINVAL, "%s is %s, but the file says %s", mdm_options_said(o, name),
                    mdm_options_text(o, name), mdm_options_text(theirs, name));
}

static int agree(const maskdm_options *options, const maskdm_model *model)
{
    static const char *const shared[] = {"heads", "image_size"};
    maskdm_options *o;
    const char *name;
    int status;

    for (size_t i = 0; i < MDM_LENGTH(shared); i++)
        if (mdm_options_is_set(options, shared[i]) &&
            strcmp(mdm_options_text(options, shared[i]), mdm_options_text(model->options, shared[i])) != 0)
            return disagree(options, shared[i], model->options);
    MDM_TRY(mdm_options_clone(&o, options));
    status = mdm_options_follow(o, model->scheduler->options, &name);
    if (status == MASKDM_OK && name)
        status = disagree(o, name, model->scheduler->options);
    mdm_options_release(&o);
    return status;
}

int mdm_convert_own(maskdm_model **model, maskdm_device *device, struct mdm_tensorfile *s,
                    const maskdm_options *options)
{
    int status;

    MDM_TRY(mdm_model_shell_of(model, device, s));
    status = agree(options, *model);
    if (status < 0)
        mdm_model_drop(model);
    return status;
}
