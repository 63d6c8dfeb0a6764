/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Kind "sample".
 */
#include "case.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static maskdm_sampler *make_sampler(struct reference_case *c, maskdm_model *model, const char *kind)
{
    char text[256];
    maskdm_options *o = NULL;
    maskdm_sampler *s = NULL;
    const double steps = case_number(c, "diffusion", "sampling_timesteps", 0);
    const int logsnr = !strcmp(case_value(c, "diffusion", "skip_type", ""), "logSNR");

    snprintf(text, sizeof text, "sampler=%s", kind);
    if (!strcmp(kind, "ddim"))
        snprintf(text, sizeof text, "sampler=ddim steps=%.0f eta=%.17g", steps,
                 case_number(c, "diffusion", "eta", 0));
    if (!strcmp(kind, "dpmpp"))
        snprintf(text, sizeof text, "sampler=dpmpp steps=%.0f spacing=%s clip=false", steps,
                 logsnr ? "logsnr" : "time");
    if (!case_ok(c, maskdm_options_create(&o, "sampler"), "sampler") &&
        !case_ok(c, maskdm_options_parse(o, text), text))
        case_ok(c, maskdm_sampler_create(&s, model, MASKDM_WEIGHTS_EMA, o, NULL), text);
    maskdm_options_release(&o);
    return s;
}

void case_sample(struct reference_case *c)
{
    const char *kind = maskdm_file_metadata(c->file, "sampler");
    maskdm_model *model;
    maskdm_sampler *s = NULL;
    float *x = NULL, *noise = NULL;
    int32_t *labels = NULL;
    int64_t values = 0;

    if (!kind) {
        case_fail(c, "no sampler is named");
        return;
    }
    model = case_model(c);
    if (model)
        s = make_sampler(c, model, kind);
    if (s) {
        x = case_images(c, "input.x_T", 1, 0);
        values = maskdm_file_elements(c->file, maskdm_file_find(c->file, "input.x_T"));
        labels = case_labels(c);
        if (case_has(c, "input.noise"))
            noise = case_images(c, "input.noise", 1, 0);
    }
    if (x && !case_ok(c, maskdm_sampler_run_from(s, case_dim(c, "input.x_T", BATCH), x, noise, labels), "sampling")) {
        for (int64_t i = 0; i < values; i++)
            x[i] = (x[i] + 1) / 2;
        case_compare_images(c, "expect.image", x, TENSOR_BOUND);
    }
    free(x);
    free(noise);
    free(labels);
    maskdm_sampler_release(&s);
    maskdm_model_release(&model);
}
