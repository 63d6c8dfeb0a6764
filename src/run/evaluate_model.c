/* SPDX-License-Identifier: BSD-2-Clause
 *
 * What a model file is worth on held-out images: both sets of its weights, by the level of noise.
 */
#include "run/evaluate.h"

#include "base/error.h"
#include "data/find.h"
#include "model/model.h"
#include "run/label_names.h"
#include "train/held_out.h"
#include "train/loss.h"

#include <math.h>

enum { LEVELS = 8 };

static int open_data(maskdm_data **out, const maskdm_model *model, const maskdm_options *options, const char *path,
                     maskdm_control *control)
{
    const struct mdm_geometry *g = &model->geometry;
    const int64_t size[] = {g->height, g->width};
    const struct mdm_log *log = mdm_control_log(control);
    struct mdm_folder_options folder;
    struct mdm_scan found;
    int status = MASKDM_OK;

    mdm_options_read(options, &mdm_images_options, &folder);
    folder.image_size = (struct mdm_int_list){MDM_LENGTH(size), size};
    folder.channels = g->channels;
    MDM_TRY(mdm_data_find(&found, path, NULL, &folder, options, log, control));
    mdm_data_tell_found(&found, path, log);
    if (g->classes)
        status = mdm_label_names_match(&found, &model->labels, "the data", "the model");
    if (status >= 0)
        status = mdm_data_folder(out, model->device, path, &found, &folder, options);
    mdm_scan_free(&found);
    if (status >= 0)
        status = mdm_data_read(*out, 0, log, control);
    if (status < 0)
        mdm_data_release(out);
    return status;
}

static int predict(struct mdm_page *page, const char *name, maskdm_model *model, enum maskdm_weights which,
                   maskdm_data *data, const struct mdm_held_out *told)
{
    double x0_error, loss, level[LEVELS];

    MDM_TRY(mdm_held_out(model, which, data, told, &x0_error, &loss, level));
    mdm_page_begin(page, name);
    mdm_page_number(page, "x0_error", x0_error);
    mdm_page_number(page, "loss", loss);
    mdm_page_list(page, "x0_error_by_level", level, LEVELS);
    mdm_page_end(page);
    return MASKDM_OK;
}

static int predict_both(struct mdm_page *page, maskdm_model *model, maskdm_data *data,
                        const struct mdm_evaluate_run_options *told, maskdm_control *control)
{
    struct mdm_held_out h = {.count = told->val_count,
                             .seed = (uint64_t)told->val_seed,
                             .loss = (enum mdm_loss_kind)told->loss,
                             .buckets = LEVELS,
                             .control = control};
    double edge[LEVELS + 1];
    char digest[17];

    MDM_TRY(mdm_loss_delta(&h.delta, h.loss, told->loss_delta, "loss_delta"));
    MDM_TRY(mdm_model_digest(model, MASKDM_WEIGHTS_EMA, digest));
    for (int i = 0; i <= LEVELS; i++) /* of ln(signal^2 / noise^2) */
        edge[i] = -2 * (log(MDM_HELD_OUT_LEAST) + i * log(MDM_HELD_OUT_MOST / MDM_HELD_OUT_LEAST) / LEVELS);
    mdm_page_text(page, "model_digest", digest);
    mdm_page_path(page, "data", told->data);
    mdm_page_count(page, "val_count", h.count && h.count < data->count ? h.count : data->count);
    mdm_page_count(page, "val_seed", told->val_seed);
    mdm_page_text(page, "own_loss", mdm_loss_name(told->loss));
    mdm_page_list(page, "log_snr", edge, LEVELS + 1);
    MDM_TRY(predict(page, "ema", model, MASKDM_WEIGHTS_EMA, data, &h));
    return model->online ? predict(page, "online", model, MASKDM_WEIGHTS_ONLINE, data, &h) : MASKDM_OK;
}

int mdm_evaluate_held_out(struct mdm_page *page, const maskdm_options *options,
                          const struct mdm_evaluate_run_options *told, maskdm_device *device, maskdm_control *control)
{
    maskdm_model *model;
    maskdm_data *data = NULL;
    int status;

    MDM_TRY(mdm_model_load(&model, device, told->model));
    status = open_data(&data, model, options, told->data, control);
    if (status >= 0)
        status = mdm_evaluate_tell_seen(told->model, data, control);
    mdm_page_begin(page, "held_out");
    if (status >= 0)
        status = predict_both(page, model, data, told, control);
    mdm_page_end(page);
    mdm_data_release(&data);
    mdm_model_drop(&model);
    return status;
}
