/* SPDX-License-Identifier: BSD-2-Clause
 *
 * What maskdm_convert() does: find the weights in a checkpoint by their names, the network by their shapes, and write
 * a model file. The authors' program keeps {"step", "model", "opt", "ema", "scaler"}: "model" is the diffusion, whose
 * network's names begin with "model." again, "ema.ema_model" its average.
 */
#include "run/convert.h"

#include "io/torch.h"
#include "model/model.h"
#include "model/options.h"
#include "run/convert_find.h"
#include "run/convert_rest.h"
#include "run/convert_schedule.h"
#include "run/options.h"
#include "util/alloc.h"
#include "util/control.h"
#include "util/error.h"
#include "util/file.h"

#include <string.h>

enum { DIM_PER_HEAD = 64 };

struct job {
    const maskdm_options *options;
    const struct maskdm_log *log;
    struct maskdm_st file;
    struct maskdm_places places;
    unsigned char *mark; /* of each tensor: enum maskdm_mark */
    int64_t betas;       /* the tensor that the schedule follows; -1: none */
    maskdm_device *device;
    maskdm_options *network;
    maskdm_scheduler *scheduler;
    maskdm_model *model;
};

/* Of our own files, too, one could take the weights; but what else they hold would be lost. */
static int check_foreign(const struct maskdm_st *s)
{
    const char *kind = maskdm_st_meta(s, "maskdm.kind");

    if (kind && !strcmp(kind, "state"))
        return maskdm_fail(MASKDM_EFORMAT, "a training state of maskdm; the run's model.safetensors holds the model");
    if (maskdm_st_meta(s, "maskdm.network"))
        return maskdm_fail(MASKDM_EFORMAT, "a model file of maskdm already; there is nothing to convert");
    return MASKDM_OK;
}

static int find_weights(struct job *j)
{
    int64_t dropped;
    int status;

    MASKDM_TRY(check_foreign(&j->file));
    status = maskdm_convert_unwrap(&j->file, &dropped);
    if (status < 0)
        return maskdm_fail_prefix(status, "without \"module.\" and \"_orig_mod.\" in its names");
    if (dropped)
        maskdm_log_line(j->log, MASKDM_LOG_INFO,
                        "%lld names are read without what wrapped their modules (module, _orig_mod)",
                        (long long)dropped);
    return maskdm_convert_find(&j->places, &j->file, maskdm_optionset_string(j->options, "ema_from"),
                               maskdm_optionset_string(j->options, "online_from"));
}

/* The authors' configurations all have 64 values a head. */
static int set_heads(struct job *j)
{
    const int64_t dim = maskdm_optionset_int(j->network, "dim");
    char text[24];

    if (maskdm_optionset_int(j->options, "heads"))
        return maskdm_optionset_set(j->network, "heads", maskdm_optionset_string(j->options, "heads"));
    if (dim % DIM_PER_HEAD)
        return maskdm_fail(MASKDM_EINVAL,
                           "the shapes do not show the number of heads, and dim %lld is no multiple of "
                           "%d; give %s",
                           (long long)dim, DIM_PER_HEAD, maskdm_optionset_said(j->options, "heads"));
    maskdm_format(text, sizeof text, "%lld", (long long)(dim / DIM_PER_HEAD));
    return maskdm_optionset_set(j->network, "heads", text);
}

static int set_image_size(struct job *j, int64_t patches)
{
    if (maskdm_optionset_is_set(j->options, "image_size"))
        return maskdm_optionset_set(j->network, "image_size", maskdm_optionset_string(j->options, "image_size"));
    if (!maskdm_optionset_is_set(j->network, "image_size"))
        return maskdm_fail(MASKDM_EINVAL, "%lld patches make no square; give %s", (long long)patches,
                           maskdm_optionset_said(j->options, "image_size"));
    return MASKDM_OK;
}

static int read_network(struct job *j)
{
    int64_t patches = 0;
    int status;

    MASKDM_TRY(maskdm_optionset_create(&j->network, &maskdm_uvit_kind));
    status = maskdm_uvit_read_shapes(j->network, &j->file, maskdm_convert_main(&j->places)->prefix, &patches);
    if (status < 0)
        return status == MASKDM_EINVAL ? MASKDM_EFORMAT : status;
    MASKDM_TRY(set_heads(j));
    return set_image_size(j, patches);
}

/* The betas stand beside the weights; an average may be kept without them. */
static int read_schedule(struct job *j)
{
    const struct maskdm_place *place[2] = {maskdm_convert_main(&j->places), j->places.online};
    char around[MASKDM_PLACE_PREFIX + 1], name[MASKDM_PLACE_PREFIX + 8];

    j->betas = -1;
    for (int i = 0; i < 2 && j->betas < 0; i++)
        if (place[i]) {
            maskdm_convert_around(around, place[i]);
            maskdm_format(name, sizeof name, "%sbetas", around);
            j->betas = maskdm_st_find(&j->file, name);
        }
    return maskdm_convert_schedule(&j->scheduler, j->options, &j->file, j->betas, j->log);
}

/* Every tensor at the place that looks like a weight is one of the network's. */
static int check_strangers(const struct job *j, const char *prefix)
{
    const size_t n = strlen(prefix);

    for (int64_t i = 0; i < j->file.count; i++) {
        const char *name = j->file.tensor[i].name;

        if (!j->mark[i] && strncmp(name, prefix, n) == 0 && strncmp(name + n, "encoder", 7) == 0)
            return maskdm_fail(MASKDM_EFORMAT, "tensor \"%s\" is none of the network's %d", name,
                               j->model->layout.count);
    }
    return MASKDM_OK;
}

static int check_place(const struct job *j, const struct maskdm_place *place)
{
    if (!place)
        return MASKDM_OK;
    MASKDM_TRY(maskdm_weights_check_block(&j->file, &j->model->layout, place->prefix));
    return check_strangers(j, place->prefix);
}

static int read_place(struct job *j, const struct maskdm_place *place, float *block)
{
    return maskdm_weights_read_block(j->device, &j->file, &j->model->layout, place->prefix, block);
}

static int make_model(struct job *j)
{
    const struct maskdm_places *p = &j->places;
    const int two = p->average && p->online;

    MASKDM_TRY(maskdm_backend_open(&j->device, "cpu", NULL, NULL, 0, NULL));
    MASKDM_TRY(maskdm_weights_shell(&j->model, j->device, "uvit", j->network, j->scheduler));
    MASKDM_TRY(maskdm_convert_mark(&j->mark, &j->file, p, &j->model->layout));
    if (j->betas >= 0)
        j->mark[j->betas] = MASKDM_MARK_USED;
    MASKDM_TRY(check_place(j, p->average));
    MASKDM_TRY(check_place(j, p->online));
    MASKDM_TRY(maskdm_weights_take(j->model, two));
    MASKDM_TRY(read_place(j, maskdm_convert_main(p), j->model->ema));
    return two ? read_place(j, p->online, j->model->online) : MASKDM_OK;
}

/* "model.model" of a prefix. */
static const char *show(char out[MASKDM_PLACE_PREFIX + 1], const struct maskdm_place *place)
{
    const size_t n = strlen(place->prefix);

    maskdm_format(out, MASKDM_PLACE_PREFIX + 1, "%.*s", n ? (int)n - 1 : 1, n ? place->prefix : ".");
    return out;
}

static void tell_weights(const struct job *j)
{
    const struct maskdm_places *p = &j->places;
    const char *step = maskdm_st_meta(&j->file, "step");
    char average[MASKDM_PLACE_PREFIX + 1], online[MASKDM_PLACE_PREFIX + 1], when[64] = "";

    if (step)
        maskdm_format(when, sizeof when, ", of step %.20s", step);
    if (p->average && p->online)
        maskdm_log_line(j->log, MASKDM_LOG_INFO, "weights: EMA from \"%s\", online from \"%s\"%s",
                        show(average, p->average), show(online, p->online), when);
    else
        maskdm_log_line(j->log, MASKDM_LOG_INFO, "weights: %s from \"%s\", %s%s", p->average ? "EMA" : "online",
                        show(online, maskdm_convert_main(p)), p->average ? "no online ones" : "no EMA", when);
    maskdm_convert_tell_rest(&j->file, p, j->mark, j->log);
}

static void tell(const struct job *j)
{
    struct maskdm_text network = {0}, scheduler = {0};

    maskdm_optionset_write_json(j->model->options, &network);
    maskdm_optionset_write_json(j->model->scheduler->options, &scheduler);
    if (network.data && scheduler.data)
        maskdm_log_line(j->log, MASKDM_LOG_INFO, "%lld parameters%s, network %s, scheduler %s",
                        (long long)j->model->layout.numel, j->model->online ? ", EMA and online" : "", network.data,
                        scheduler.data);
    maskdm_text_free(&network);
    maskdm_text_free(&scheduler);
}

static int convert(struct job *j, maskdm_control *control)
{
    const char *from = maskdm_optionset_string(j->options, "from");
    int status = maskdm_tensors_open(&j->file, from);

    if (status < 0)
        return status;
    status = find_weights(j);
    if (status == MASKDM_OK)
        status = read_network(j);
    if (status == MASKDM_OK)
        status = read_schedule(j);
    if (status == MASKDM_OK)
        status = make_model(j);
    if (status == MASKDM_OK)
        tell_weights(j);
    maskdm_st_close(&j->file);
    if (status < 0)
        return maskdm_fail_prefix(status, "%s", from);
    MASKDM_TRY(maskdm_control_check(control, "the conversion"));
    tell(j);
    return maskdm_weights_save(j->model, maskdm_optionset_string(j->options, "out"));
}

int maskdm_convert_run(const maskdm_options *options, maskdm_control *control)
{
    struct job j = {.options = options, .log = maskdm_control_log(control)};
    struct maskdm_writer *place;
    int status;

    if (maskdm_optionset_kind(options) != &maskdm_convert_kind)
        return maskdm_fail(MASKDM_EINVAL, "options of kind %s, not convert", maskdm_optionset_kind(options)->name);
    MASKDM_TRY(maskdm_optionset_check(options));
    MASKDM_TRY(maskdm_convert_reserve(&place, options));
    status = convert(&j, control);
    maskdm_writer_abandon(&place);
    maskdm_free(j.mark);
    maskdm_weights_drop(&j.model);
    maskdm_diffusion_drop(&j.scheduler);
    maskdm_optionset_release(&j.network);
    maskdm_device_drop(&j.device);
    return status;
}
