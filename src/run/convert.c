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
#include "run/convert_schedule.h"
#include "run/options.h"
#include "util/control.h"
#include "util/error.h"
#include "util/file.h"

#include <string.h>

enum { DIM_PER_HEAD = 64 };

/* Where a network's weights may be; the schedule is beside them, where the last part of the prefix is left out. */
struct place {
    const char *weights, *schedule;
};
static const struct place online_places[] = {{"model.model.", "model."}, {"model.", ""}, {"", ""}};
static const struct place ema_places[] = {{"ema.ema_model.model.", "ema.ema_model."}};

struct job {
    const maskdm_options *options;
    maskdm_control *control;
    struct maskdm_st file;
    const struct place *online, *ema; /* NULL: none */
    maskdm_device *device;
    maskdm_options *network;
    maskdm_scheduler *scheduler;
    maskdm_model *model;
};

static const struct place *find_place(const struct maskdm_st *s, const struct place *places, size_t count)
{
    char name[64];

    for (size_t i = 0; i < count; i++) {
        maskdm_format(name, sizeof name, "%sencoder.encoder_pos_embed", places[i].weights);
        if (maskdm_st_find(s, name) >= 0)
            return &places[i];
    }
    return NULL;
}

static int find_weights(struct job *j)
{
    j->online = find_place(&j->file, online_places, MASKDM_LENGTH(online_places));
    j->ema = find_place(&j->file, ema_places, MASKDM_LENGTH(ema_places));
    if (!j->online && !j->ema)
        return maskdm_fail(MASKDM_EFORMAT, "there is no tensor \"model.model.encoder.encoder_pos_embed\": not a "
                                           "checkpoint of the authors' program");
    return MASKDM_OK;
}

static const struct place *main_place(const struct job *j)
{
    return j->ema ? j->ema : j->online;
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
                           "%d; give heads",
                           (long long)dim, DIM_PER_HEAD);
    maskdm_format(text, sizeof text, "%lld", (long long)(dim / DIM_PER_HEAD));
    return maskdm_optionset_set(j->network, "heads", text);
}

static int set_image_size(struct job *j, int64_t patches)
{
    if (maskdm_optionset_is_set(j->options, "image_size"))
        return maskdm_optionset_set(j->network, "image_size", maskdm_optionset_string(j->options, "image_size"));
    if (!maskdm_optionset_is_set(j->network, "image_size"))
        return maskdm_fail(MASKDM_EINVAL, "%lld patches make no square; give image_size", (long long)patches);
    return MASKDM_OK;
}

static int read_network(struct job *j)
{
    int64_t patches = 0;
    int status;

    MASKDM_TRY(maskdm_optionset_create(&j->network, &maskdm_uvit_kind));
    status = maskdm_uvit_read_shapes(j->network, &j->file, main_place(j)->weights, &patches);
    if (status < 0)
        return status == MASKDM_EINVAL ? MASKDM_EFORMAT : status;
    MASKDM_TRY(set_heads(j));
    MASKDM_TRY(set_image_size(j, patches));
    return maskdm_convert_schedule(&j->scheduler, j->options, &j->file, main_place(j)->schedule,
                                   maskdm_control_log(j->control));
}

/* Every tensor behind the prefix that looks like a weight is one of the network's. */
static int check_strangers(const struct job *j, const char *prefix)
{
    const size_t n = strlen(prefix);

    for (int64_t i = 0; n && i < j->file.count; i++) {
        const char *name = j->file.tensor[i].name;

        if (strncmp(name, prefix, n) == 0 && maskdm_params_find(&j->model->layout, name + n) < 0 &&
            strncmp(name + n, "encoder", 7) == 0)
            return maskdm_fail(MASKDM_EFORMAT, "tensor \"%s\" is none of the network's %d", name,
                               j->model->layout.count);
    }
    return MASKDM_OK;
}

static int check_place(const struct job *j, const struct place *place)
{
    if (!place)
        return MASKDM_OK;
    MASKDM_TRY(maskdm_weights_check_block(&j->file, &j->model->layout, place->weights));
    return check_strangers(j, place->weights);
}

static int make_model(struct job *j)
{
    const int two = j->ema && j->online;

    MASKDM_TRY(maskdm_backend_open(&j->device, "cpu", NULL, NULL, 0, NULL));
    MASKDM_TRY(maskdm_weights_shell(&j->model, j->device, "uvit", j->network, j->scheduler));
    MASKDM_TRY(check_place(j, j->ema));
    MASKDM_TRY(check_place(j, j->online));
    MASKDM_TRY(maskdm_weights_take(j->model, two));
    MASKDM_TRY(
        maskdm_weights_read_block(j->device, &j->file, &j->model->layout, main_place(j)->weights, j->model->ema));
    return two ? maskdm_weights_read_block(j->device, &j->file, &j->model->layout, j->online->weights,
                                           j->model->online)
               : MASKDM_OK;
}

static void tell(const struct job *j)
{
    struct maskdm_text network = {0}, scheduler = {0};

    maskdm_optionset_write_json(j->model->options, &network);
    maskdm_optionset_write_json(j->model->scheduler->options, &scheduler);
    if (network.data && scheduler.data)
        maskdm_log_line(maskdm_control_log(j->control), MASKDM_LOG_INFO,
                        "%lld parameters%s, network %s, scheduler %s", (long long)j->model->layout.numel,
                        j->model->online ? ", EMA and online" : "", network.data, scheduler.data);
    maskdm_text_free(&network);
    maskdm_text_free(&scheduler);
}

static int convert(struct job *j)
{
    const char *from = maskdm_optionset_string(j->options, "from");
    int status = maskdm_tensors_open(&j->file, from);

    if (status < 0)
        return status;
    status = find_weights(j);
    if (status == MASKDM_OK)
        status = read_network(j);
    if (status == MASKDM_OK)
        status = make_model(j);
    maskdm_st_close(&j->file);
    if (status < 0)
        return maskdm_fail_prefix(status, "%s", from);
    MASKDM_TRY(maskdm_control_check(j->control, "the conversion"));
    tell(j);
    return maskdm_weights_save(j->model, maskdm_optionset_string(j->options, "out"));
}

int maskdm_convert_run(const maskdm_options *options, maskdm_control *control)
{
    struct job j = {.options = options, .control = control};
    struct maskdm_writer *place;
    int status;

    if (maskdm_optionset_kind(options) != &maskdm_convert_kind)
        return maskdm_fail(MASKDM_EINVAL, "options of kind %s, not convert", maskdm_optionset_kind(options)->name);
    MASKDM_TRY(maskdm_optionset_check(options));
    MASKDM_TRY(maskdm_convert_reserve(&place, options));
    status = convert(&j);
    maskdm_writer_abandon(&place);
    maskdm_weights_drop(&j.model);
    maskdm_diffusion_drop(&j.scheduler);
    maskdm_optionset_release(&j.network);
    maskdm_device_drop(&j.device);
    return status;
}
