/* SPDX-License-Identifier: BSD-2-Clause
 *
 * From the authors' settings to the library's options, and a model with a case's weights.
 */
#include "case.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static maskdm_options *options(struct reference_case *c, const char *kind, const char *text)
{
    maskdm_options *o = NULL;

    if (!case_ok(c, maskdm_options_create(&o, kind), kind) && case_ok(c, maskdm_options_parse(o, text), text))
        maskdm_options_release(&o);
    return o;
}

maskdm_scheduler *case_scheduler_of(struct reference_case *c, const char *text)
{
    maskdm_options *o = options(c, "scheduler", text);
    maskdm_scheduler *s = NULL;

    if (o)
        case_ok(c, maskdm_scheduler_create(&s, o), text);
    maskdm_options_release(&o);
    return s;
}

maskdm_scheduler *case_scheduler(struct reference_case *c)
{
    char text[256], prediction[32], schedule[32];
    const double size = case_number(c, "diffusion", "shift_image_size", 0);
    int n;

    snprintf(prediction, sizeof prediction, "%s", case_value(c, "diffusion", "objective", "pred_noise"));
    snprintf(schedule, sizeof schedule, "%s", case_value(c, "diffusion", "beta_schedule", "linear"));
    n = snprintf(text, sizeof text, "schedule=%s%s timesteps=%.0f prediction=%s", size > 0 ? "shifted_" : "",
                 schedule, case_number(c, "diffusion", "timesteps", 1000),
                 prediction + (strncmp(prediction, "pred_", 5) ? 0 : 5));
    if (size > 0)
        snprintf(text + n, sizeof text - (size_t)n, " shift_size=%.0f", size);
    return case_scheduler_of(c, text);
}

int case_weights(struct reference_case *c, maskdm_model *model)
{
    const int64_t tensors = maskdm_file_count(c->file);
    int64_t found = 0;

    for (int64_t i = 0; i < tensors; i++) {
        const char *name = maskdm_file_name(c->file, i);
        int64_t parameter, count;
        float *values;

        if (strncmp(name, "param.", 6) != 0)
            continue;
        parameter = maskdm_model_parameter_find(model, name + 6);
        if (parameter < 0) {
            case_fail(c, "the library's network has no parameter %s", name + 6);
            return -1;
        }
        values = case_f32(c, name, &count);
        if (values)
            case_ok(c, maskdm_model_set_parameter(model, MASKDM_WEIGHTS_EMA, parameter, values, count), name);
        free(values);
        found++;
    }
    if (found != maskdm_model_parameter_count(model))
        case_fail(c, "%lld weights for %lld parameters", (long long)found,
                  (long long)maskdm_model_parameter_count(model));
    return c->failed ? -1 : 0;
}

int case_has_wavelets(struct reference_case *c)
{
    return !strcmp(case_value(c, "network", "name", "maskdm"), "maskdwt");
}

/* The program of wavelets counts coefficients, whose images are half as wide. */
static void add_form(struct reference_case *c, char *text, size_t size)
{
    const size_t n = strlen(text);

    if (case_has_wavelets(c))
        snprintf(text + n, size - n, " form=wavelet image_size=%.0f channels=%.0f detail_scale=%.0f",
                 2 * case_number(c, "network", "img_size", 224), case_number(c, "network", "data_chans", 3),
                 case_number(c, "network", "scale", 2));
    else
        snprintf(text + n, size - n, " channels=%.0f", case_number(c, "network", "in_chans", 3));
}

maskdm_model *case_model(struct reference_case *c)
{
    char text[512], size[64], bias[8], mlp[8];
    const double classes = case_number(c, "network", "num_classes", -1);
    maskdm_scheduler *scheduler = case_scheduler(c);
    maskdm_options *o = NULL;
    maskdm_model *model = NULL;

    snprintf(size, sizeof size, "%s", case_value(c, "network", "img_size", ""));
    for (char *p = size; *p; p++)
        if (*p == ' ')
            memmove(p, p + 1, strlen(p));
    snprintf(bias, sizeof bias, "%s", case_value(c, "network", "qkv_bias", "false"));
    snprintf(mlp, sizeof mlp, "%s", case_value(c, "network", "mlp_time_embed", "false"));
    snprintf(text, sizeof text,
             "image_size=%s patch_size=%.0f dim=%.0f depth=%.0f heads=%.0f mlp_ratio=%.17g qkv_bias=%s "
             "time_mlp=%s classes=%.0f",
             size, case_number(c, "network", "patch_size", 0), case_number(c, "network", "encoder_embed_dim", 0),
             case_number(c, "network", "encoder_depth", 0), case_number(c, "network", "encoder_heads", 0),
             case_number(c, "network", "mlp_ratio", 4), bias, mlp, classes > 0 ? classes : 0);
    add_form(c, text, sizeof text);
    if (scheduler)
        o = options(c, "uvit", text);
    if (o && !case_ok(c, maskdm_model_create(&model, c->device, "uvit", o, scheduler, 1), text) &&
        case_weights(c, model))
        maskdm_model_release(&model);
    maskdm_options_release(&o);
    maskdm_scheduler_release(&scheduler);
    return model;
}

int32_t *case_labels(struct reference_case *c)
{
    int64_t count;
    double *given;
    int32_t *labels;

    if (!case_has(c, "input.label"))
        return NULL;
    given = case_f64(c, "input.label", &count);
    labels = given ? malloc((size_t)count * sizeof *labels + 1) : NULL;
    for (int64_t i = 0; labels && i < count; i++)
        labels[i] = (int32_t)given[i];
    free(given);
    return labels;
}
