/* SPDX-License-Identifier: BSD-2-Clause
 *
 * What maskdm_convert() does: find the weights in a checkpoint by their names, the network by their shapes, and write
 * a model file; or read a folder of diffusers, which says what it holds. The authors' program keeps {"step", "model",
 * "opt", "ema", "scaler"}: "model" is the diffusion, whose network's names begin with "model." again,
 * "ema.ema_model" its average.
 */
#include "run/convert.h"

#include "base/alloc.h"
#include "base/control.h"
#include "base/error.h"
#include "metric/extractor.h"
#include "model/model.h"
#include "os/file.h"
#include "run/convert_find.h"
#include "run/convert_rest.h"
#include "run/convert_said.h"
#include "run/convert_schedule.h"
#include "run/diffusers.h"
#include "run/options.h"
#include "tensorfile/tensorfile.h"
#include "text/text.h"

#include <string.h>

enum { DIM_PER_HEAD = 64 };

struct job {
    maskdm_options *options; /* the caller's, completed by what the file says */
    struct mdm_convert_run_options told;
    const struct mdm_log *log;
    struct mdm_tensorfile file;
    struct mdm_places places;
    unsigned char *mark; /* of each tensor: enum mdm_mark */
    int64_t betas;       /* the tensor that the schedule follows; -1: none */
    maskdm_device *device;
    maskdm_options *network;
    maskdm_scheduler *scheduler;
    maskdm_model *model;
};

/* Of our own files, too, one could take the weights; but what else they hold would be lost. */
static int check_foreign(const struct mdm_tensorfile *s)
{
    if (mdm_model_file_is(s, "state"))
        return mdm_fail(MASKDM_EFORMAT, "a training state of maskdm, which serves wherever a model does");
    if (mdm_tensorfile_meta(s, "maskdm.network") && !mdm_convert_is_own(s))
        return mdm_fail(MASKDM_EFORMAT, "a model file of maskdm already; there is nothing to convert");
    return MASKDM_OK;
}

static int follow(struct job *j)
{
    if (!j->places.network->read_shapes)
        return mdm_fail(MASKDM_ENOTSUP,
                        "the weights are those of network \"%s\", whose shapes do not say enough; give the folder "
                        "that has its config.json",
                        j->places.network->name);
    MDM_TRY(mdm_convert_follow(j->options, &j->file, j->log));
    mdm_options_read(j->options, &mdm_convert_run_options, &j->told);
    return MASKDM_OK;
}

/* One set goes into such a checkpoint under both names. */
static int find_own(struct job *j)
{
    const char *network = mdm_tensorfile_meta(&j->file, "maskdm.network");
    const char *sets = mdm_tensorfile_meta(&j->file, "maskdm.sets");

    if (!network || strcmp(network, j->places.network->name) != 0)
        return mdm_fail(MASKDM_EFORMAT, "the file says network \"%.40s\", but its weights are those of \"%s\"",
                        network ? network : "", j->places.network->name);
    if (!strcmp(sets, "1") && j->places.average)
        j->places.online = NULL;
    return MASKDM_OK;
}

static int find_weights(struct job *j)
{
    int64_t dropped;
    int status;

    MDM_TRY(check_foreign(&j->file));
    status = mdm_convert_unwrap(&j->file, &dropped);
    if (status < 0)
        return mdm_fail_prefix(status, "without \"module.\" and \"_orig_mod.\" in its names");
    if (dropped)
        mdm_log_line(j->log, MASKDM_LOG_INFO,
                     "%lld names are read without what wrapped their modules (module, _orig_mod)",
                     (long long)dropped);
    MDM_TRY(mdm_convert_find(&j->places, &j->file, j->told.ema_from, j->told.online_from));
    return mdm_convert_is_own(&j->file) ? find_own(j) : follow(j);
}

/* Where no shape shows them: the authors' configurations all have 64 values a head. */
static int set_heads(struct job *j, int64_t dim, int64_t heads)
{
    if (j->told.heads)
        return mdm_options_set_int(j->network, "heads", j->told.heads);
    if (heads)
        return mdm_options_set_int(j->network, "heads", heads);
    if (dim % DIM_PER_HEAD)
        return mdm_fail(MASKDM_EINVAL,
                        "the shapes do not show the number of heads, and dim %lld is no multiple of "
                        "%d; give %s",
                        (long long)dim, DIM_PER_HEAD, mdm_options_said(j->options, "heads"));
    return mdm_options_set_int(j->network, "heads", dim / DIM_PER_HEAD);
}

static int set_image_size(struct job *j, int64_t patches)
{
    if (j->told.image_size.count)
        return mdm_options_set(j->network, "image_size", mdm_options_text(j->options, "image_size"));
    if (!patches && !mdm_options_is_set(j->network, "image_size"))
        return mdm_fail(MASKDM_EINVAL, "the shapes do not show the size of the images; give %s",
                        mdm_options_said(j->options, "image_size"));
    if (!mdm_options_is_set(j->network, "image_size"))
        return mdm_fail(MASKDM_EINVAL, "%lld patches make no square; give %s", (long long)patches,
                        mdm_options_said(j->options, "image_size"));
    return MASKDM_OK;
}

static int read_network(struct job *j)
{
    struct mdm_shown shown = {0};
    int status;

    MDM_TRY(mdm_options_create(&j->network, j->places.network->kind));
    status = j->places.network->read_shapes(j->network, &shown, &j->file, mdm_convert_main(&j->places)->prefix);
    if (status < 0)
        return status == MASKDM_EINVAL ? MASKDM_EFORMAT : status;
    MDM_TRY(set_heads(j, shown.dim, shown.heads));
    return set_image_size(j, shown.patches);
}

/* The betas stand beside the weights; an average may be kept without them. */
static void find_betas(struct job *j)
{
    const struct mdm_place *place[2] = {mdm_convert_main(&j->places), j->places.online};
    char around[MDM_PLACE_PREFIX + 1], name[MDM_PLACE_PREFIX + 8];

    j->betas = -1;
    for (int i = 0; i < 2 && j->betas < 0; i++)
        if (place[i]) {
            mdm_convert_around(around, place[i]);
            mdm_format(name, sizeof name, "%sbetas", around);
            j->betas = mdm_tensorfile_find(&j->file, name);
        }
}

/* Whether a parameter of the network has the same first part, "in_blocks" of "in_blocks.0.norm1.weight". */
static int is_of_network(const struct mdm_params *layout, const char *name)
{
    const size_t n = strcspn(name, ".");

    for (int i = 0; i < layout->count; i++)
        if (strcspn(layout->list[i].name, ".") == n && !strncmp(layout->list[i].name, name, n))
            return 1;
    return 0;
}

/* Every tensor at the place that looks like a weight is one of the network's. */
static int check_strangers(const struct job *j, const char *prefix)
{
    const size_t n = strlen(prefix);

    for (int64_t i = 0; i < j->file.count; i++) {
        const char *name = j->file.tensor[i].name;

        if (!j->mark[i] && strncmp(name, prefix, n) == 0 && is_of_network(&j->model->layout, name + n))
            return mdm_fail(MASKDM_EFORMAT, "tensor \"%s\" is none of the network's %d", name,
                            j->model->layout.count);
    }
    return MASKDM_OK;
}

static int check_place(const struct job *j, const struct mdm_place *place)
{
    if (!place)
        return MASKDM_OK;
    MDM_TRY(mdm_model_check_block(&j->file, &j->model->layout, place->prefix));
    return check_strangers(j, place->prefix);
}

static int read_place(struct job *j, const struct mdm_place *place, float *block)
{
    return mdm_model_read_block(j->device, &j->file, &j->model->layout, place->prefix, block);
}

static int make_model(struct job *j)
{
    const struct mdm_places *p = &j->places;
    const int two = p->average && p->online;

    MDM_TRY(mdm_backend_open(&j->device, "cpu", NULL, NULL, 0, NULL));
    find_betas(j);
    if (mdm_convert_is_own(&j->file)) {
        MDM_TRY(mdm_convert_own(&j->model, j->device, &j->file, j->options));
    } else {
        MDM_TRY(read_network(j));
        MDM_TRY(mdm_convert_schedule(&j->scheduler, j->options, j->places.network, &j->file, j->betas,
                                     j->log));
        MDM_TRY(mdm_model_shell(&j->model, j->device, j->places.network->name, j->network, j->scheduler));
        MDM_TRY(mdm_convert_sampler(j->model, &j->file));
    }
    MDM_TRY(mdm_convert_mark(&j->mark, &j->file, p, &j->model->layout));
    if (j->betas >= 0)
        j->mark[j->betas] = MDM_MARK_USED;
    MDM_TRY(check_place(j, p->average));
    MDM_TRY(check_place(j, p->online));
    MDM_TRY(mdm_model_take(j->model, two));
    MDM_TRY(read_place(j, mdm_convert_main(p), j->model->ema));
    return two ? read_place(j, p->online, j->model->online) : MASKDM_OK;
}

static void tell(const struct job *j)
{
    struct mdm_text network = {0}, scheduler = {0}, sampler = {0};

    mdm_options_write_json(j->model->options, &network);
    mdm_options_write_json(j->model->scheduler->options, &scheduler);
    if (j->model->sampler)
        mdm_options_write_json_given(j->model->sampler, &sampler);
    if (network.data && scheduler.data)
        mdm_log_line(j->log, MASKDM_LOG_INFO, "%lld parameters%s, network %s, scheduler %s%s%s",
                     (long long)j->model->layout.numel, j->model->online ? ", EMA and online" : "", network.data,
                     scheduler.data, sampler.data ? ", drawn with " : "", sampler.data ? sampler.data : "");
    mdm_text_free(&network);
    mdm_text_free(&scheduler);
    mdm_text_free(&sampler);
}

/* A checkpoint in one file. */
/* A network that says features of images is no model, and becomes a file of its own; j->model stays NULL. */
static int convert_opened(struct job *j)
{
    if (mdm_extractor_is_inception(&j->file))
        return mdm_extractor_convert(&j->file, j->told.out, j->log);
    MDM_TRY(find_weights(j));
    MDM_TRY(make_model(j));
    mdm_convert_tell_weights(&j->file, &j->places, j->mark, j->log);
    return MASKDM_OK;
}

static int convert_file(struct job *j)
{
    int status = mdm_tensorfile_open(&j->file, j->told.from);

    if (status < 0)
        return status;
    status = convert_opened(j);
    mdm_tensorfile_close(&j->file);
    return status < 0 ? mdm_fail_prefix(status, "%s", j->told.from) : MASKDM_OK;
}

static int convert(struct job *j, maskdm_control *control)
{
    enum mdm_file_kind kind;

    MDM_TRY(mdm_file_kind_of(&kind, j->told.from));
    if (kind == MDM_FILE_FOLDER) {
        MDM_TRY(mdm_backend_open(&j->device, "cpu", NULL, NULL, 0, NULL));
        MDM_TRY(mdm_diffusers_model(&j->model, j->device, j->options, &j->told, j->log));
    } else {
        MDM_TRY(convert_file(j));
    }
    if (!j->model)
        return MASKDM_OK;
    MDM_TRY(mdm_control_check(control, "the conversion"));
    tell(j);
    return mdm_model_save(j->model, j->told.out);
}

int mdm_convert_run(const maskdm_options *options, maskdm_control *control)
{
    struct job j = {.log = mdm_control_log(control)};
    struct mdm_writer *place;
    int status;

    if (mdm_options_kind(options) != &mdm_convert_kind)
        return mdm_fail(MASKDM_EINVAL, "options of kind %s, not convert", mdm_options_kind(options)->name);
    MDM_TRY(mdm_options_check(options));
    mdm_options_read(options, &mdm_convert_run_options, &j.told);
    MDM_TRY(mdm_convert_reserve(&place, j.told.from, j.told.out));
    status = mdm_options_clone(&j.options, options);
    if (status == MASKDM_OK)
        status = convert(&j, control);
    mdm_writer_abandon(&place);
    mdm_free(j.mark);
    mdm_model_drop(&j.model);
    mdm_scheduler_drop(&j.scheduler);
    mdm_options_release(&j.network);
    mdm_options_release(&j.options);
    mdm_device_drop(&j.device);
    return status;
}
