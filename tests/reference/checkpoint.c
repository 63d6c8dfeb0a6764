/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Checkpoints of the authors' program: CASE.pt beside CASE.safetensors becomes a model file with the weights that the
 * case expects and the output that its EMA weights give; CASE_half.pt has the same weights in half precision and no
 * EMA; CASE_legacy.pt is refused. Of other programs' networks, CASE.pth is what the program itself writes.
 */
#include "case.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define HALF_BOUND 5e-4 /* 2^-11, to which half precision rounds */

/* The case's path with its ".safetensors" replaced. */
static void sibling(struct reference_case *c, char *out, size_t size, const char *ending)
{
    snprintf(out, size, "%.*s%s", (int)(strlen(c->path) - strlen(".safetensors")), c->path, ending);
}

static maskdm_model *load_converted(struct reference_case *c, const char *from)
{
    const char *folder = getenv("TMPDIR");
    char out[4096], heads[32];
    maskdm_options *o = NULL;
    maskdm_model *model = NULL;
    int fd;

    snprintf(out, sizeof out, "%s/maskdm-checkpoint-XXXXXX", folder && *folder ? folder : "/tmp");
    snprintf(heads, sizeof heads, "%.0f",
             case_number(c, "network", "encoder_heads", case_number(c, "network", "num_heads", 0)));
    fd = mkstemp(out);
    if (fd < 0) {
        case_fail(c, "cannot make %s", out);
        return NULL;
    }
    close(fd);
    if (!case_ok(c, maskdm_options_create(&o, "convert"), "convert") &&
        !case_ok(c, maskdm_options_set(o, "from", from), from) &&
        !case_ok(c, maskdm_options_set(o, "out", out), out) &&
        !case_ok(c, maskdm_options_set(o, "heads", heads), heads) && !case_ok(c, maskdm_convert(o, NULL), "convert"))
        case_ok(c, maskdm_model_load(&model, c->device, out), out);
    maskdm_options_release(&o);
    unlink(out);
    return model;
}

/* Every parameter against PREFIX + its name. */
static void compare_weights(struct reference_case *c, maskdm_model *model, enum maskdm_weights which,
                            const char *prefix, double bound)
{
    for (int64_t i = 0; i < maskdm_model_parameter_count(model); i++) {
        char name[256];
        int64_t shape[8], count = 1;
        const int rank = maskdm_model_parameter_shape(model, i, shape, 8);
        float *values;

        for (int d = 0; d < rank; d++)
            count *= shape[d];
        values = malloc((size_t)count * sizeof *values + 1);
        snprintf(name, sizeof name, "%s%s", prefix, maskdm_model_parameter_name(model, i));
        if (values && !case_ok(c, maskdm_model_get_parameter(model, which, i, values, count), name))
            case_compare_f32(c, name, values, count, bound);
        free(values);
    }
}

static void compare_output(struct reference_case *c, maskdm_model *model)
{
    const int64_t images = case_dim(c, "input.x_t", BATCH);
    const int64_t n = maskdm_model_height(model) * maskdm_model_width(model) * (int64_t)maskdm_model_channels(model);
    float *x = case_images(c, "input.x_t", 1, 0), *out = malloc((size_t)(images * n) * sizeof *out + 1);
    double *times = case_f64(c, "input.t", NULL);

    if (x && out && times &&
        !case_ok(c, maskdm_model_predict(model, MASKDM_WEIGHTS_EMA, images, x, times, NULL, NULL, 0, out), "predict"))
        case_compare_images(c, "expect.ema_output", out, TENSOR_BOUND);
    free(x);
    free(out);
    free(times);
}

maskdm_model *case_written(struct reference_case *c)
{
    char path[4096];
    maskdm_model *model;

    sibling(c, path, sizeof path, ".pth");
    model = access(path, R_OK) ? NULL : load_converted(c, path);
    if (model)
        compare_weights(c, model, MASKDM_WEIGHTS_EMA, "param.", 0);
    return model;
}

void case_checkpoint(struct reference_case *c)
{
    char path[4096];
    maskdm_model *model;
    maskdm_file *file = NULL;

    sibling(c, path, sizeof path, "_legacy.pt");
    if (maskdm_file_open(&file, path) != MASKDM_EFORMAT || !strstr(maskdm_last_error(), "torch.save"))
        case_fail(c, "%s is not refused as an old format: %s", path, file ? "it opens" : maskdm_last_error());
    maskdm_file_release(&file);

    sibling(c, path, sizeof path, "_half.pt");
    model = load_converted(c, path);
    if (model) {
        compare_weights(c, model, MASKDM_WEIGHTS_EMA, "expect.model.", HALF_BOUND);
        if (maskdm_model_has_online(model))
            case_fail(c, "%s has one set of weights, the model two", path);
    }
    maskdm_model_release(&model);
    if (!c->failed)
        c->worst = 0; /* what half precision cost is no error */

    sibling(c, path, sizeof path, ".pt");
    model = load_converted(c, path);
    if (model) {
        compare_weights(c, model, MASKDM_WEIGHTS_EMA, "expect.ema.", 0);
        compare_weights(c, model, MASKDM_WEIGHTS_ONLINE, "expect.model.", 0);
        compare_output(c, model);
    }
    maskdm_model_release(&model);
}
