/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The checkpoint of MaskDM's program: what its resuming, its fine-tuning and its sampling read.
 */
#include "run/export.h"

#include "base/error.h"
#include "model/options.h"
#include "tensorfile/torch_save.h"
#include "train/options.h"

#include <string.h>

enum { THEIR_TIMESTEPS = 1000 };

/* AdamW before its first step, with what our training has where it is not told otherwise. */
static int add_optimizer(struct mdm_export *j)
{
    struct mdm_text *t = &j->w->pickle;
    struct mdm_optimizer_options told;
    maskdm_options *o;

    MDM_TRY(mdm_options_create(&o, &mdm_optimizer_kind));
    mdm_options_read(o, &mdm_optimizer_options, &told);
    mdm_options_release(&o);
    mdm_pickle_open_dict(mdm_export_key(j, "opt"));
    mdm_pickle_open_dict(mdm_export_key(j, "state"));
    mdm_pickle_close_dict(t);
    mdm_pickle_open_list(mdm_export_key(j, "param_groups"));
    mdm_pickle_open_dict(t);
    mdm_pickle_real(mdm_export_key(j, "lr"), told.lr);
    mdm_pickle_pair(mdm_export_key(j, "betas"), told.beta1, told.beta2);
    mdm_pickle_real(mdm_export_key(j, "eps"), told.eps);
    mdm_pickle_real(mdm_export_key(j, "weight_decay"), told.weight_decay);
    mdm_pickle_bool(mdm_export_key(j, "amsgrad"), 0);
    mdm_pickle_bool(mdm_export_key(j, "maximize"), 0);
    mdm_pickle_none(mdm_export_key(j, "foreach"));
    mdm_pickle_bool(mdm_export_key(j, "capturable"), 0);
    mdm_pickle_open_list(mdm_export_key(j, "params"));
    for (int i = 0; i < j->model->layout.count; i++)
        mdm_pickle_int(t, i);
    mdm_pickle_close_list(t);
    mdm_pickle_close_dict(t);
    mdm_pickle_close_list(t);
    mdm_pickle_close_dict(t);
    return mdm_text_ok(t);
}

/* The averager's flag and its count of updates. A model does not know how many there were: enough that the average
 * goes on, for at the beginning their averager would copy the weights over it. */
static int add_averager(struct mdm_export *j)
{
    static const unsigned char begun = 1;
    static const int64_t updates = 1000000;

    MDM_TRY(mdm_torch_writer_add(j->w, "initted", "BOOL", NULL, 0, &begun, NULL, NULL));
    MDM_TRY(mdm_torch_writer_add(j->w, "step", "I64", NULL, 0, &updates, NULL, NULL));
    MDM_TRY(mdm_export_buffers_add(&j->buffers, j->w, "online_model."));
    MDM_TRY(mdm_export_weights(j, 1, "online_model.model."));
    MDM_TRY(mdm_export_buffers_add(&j->buffers, j->w, "ema_model."));
    return mdm_export_weights(j, 0, "ema_model.model.");
}

static const char *truth(int x)
{
    return x ? "True" : "False";
}

static void tell_network(const struct mdm_export *j, const struct mdm_uvit_options *u)
{
    mdm_log_line(
        j->log, MASKDM_LOG_INFO,
        "the authors' program needs img_size %lld, patch_size %lld, in_chans %lld, encoder_embed_dim %lld, "
        "encoder_depth %lld, encoder_heads %lld, mlp_ratio %g, qkv_bias %s, num_classes %lld, mlp_time_embed %s",
        (long long)j->model->geometry.height, (long long)u->patch_size, (long long)u->channels, (long long)u->dim,
        (long long)u->depth, (long long)u->heads, u->mlp_ratio, truth(u->qkv_bias),
        u->classes ? (long long)u->classes : -1, truth(u->time_mlp));
}

static void tell_wavelets(const struct mdm_export *j, const struct mdm_uvit_options *u)
{
    mdm_log_line(
        j->log, MASKDM_LOG_INFO,
        "the authors' first program needs USE_DWT true, name maskdwt, img_size %lld, patch_size %lld, in_chans 12, "
        "data_chans 3, level 1, scale %lld, encoder_embed_dim %lld, encoder_depth %lld, encoder_heads %lld, "
        "decoder_depth 0, mlp_ratio %g, qkv_bias %s, num_classes %lld, mlp_time_embed %s",
        (long long)j->model->geometry.height / 2, (long long)u->patch_size, (long long)u->detail_scale,
        (long long)u->dim, (long long)u->depth, (long long)u->heads, u->mlp_ratio, truth(u->qkv_bias),
        u->classes ? (long long)u->classes : -1, truth(u->time_mlp));
}

/* What the program is told elsewhere, in its own words. */
static void tell(const struct mdm_export *j)
{
    const maskdm_scheduler *s = j->model->scheduler;
    const char *prediction = mdm_options_text(s->options, "prediction");
    struct mdm_uvit_options u;

    mdm_options_read(j->model->options, &mdm_uvit_options, &u);
    (u.form == MDM_UVIT_WAVELET ? tell_wavelets : tell_network)(j, &u);
    if (strcmp(prediction, "noise") != 0)
        mdm_log_line(j->log, MASKDM_LOG_WARN,
                     "the model predicts %s: the authors' program has to be told objective pred_%s", prediction,
                     prediction);
    if (j->buffers.count != THEIR_TIMESTEPS)
        mdm_log_line(
            j->log, MASKDM_LOG_WARN,
            "the schedule has %lld timesteps: the authors' program has to be told so, it has %d as it stands",
            (long long)j->buffers.count, THEIR_TIMESTEPS);
}

int mdm_export_maskdm(struct mdm_export *j)
{
    const struct mdm_geometry *g = &j->model->geometry;
    struct mdm_uvit_options u;

    if (g->height != g->width)
        return mdm_fail(MASKDM_EINVAL,
                        "the model is for images of %lld x %lld, the authors' program has square ones alone",
                        (long long)g->height, (long long)g->width);
    mdm_options_read(j->model->options, &mdm_uvit_options, &u);
    if (u.conv)
        return mdm_fail(MASKDM_EINVAL, "the model ends in a convolution, which the authors' program has not");
    if (u.form == MDM_UVIT_WAVELET && u.channels != 3)
        return mdm_fail(MASKDM_EINVAL, "the model is for images of %lld channels, the authors' first program for 3",
                        (long long)u.channels);
    MDM_TRY(mdm_export_buffers_make(&j->buffers, j->model->scheduler, u.form == MDM_UVIT_WAVELET));
    mdm_pickle_int(mdm_export_key(j, "step"), 0);
    mdm_pickle_open_dict(mdm_export_key(j, "model"));
    MDM_TRY(mdm_export_buffers_add(&j->buffers, j->w, ""));
    MDM_TRY(mdm_export_weights(j, 1, "model."));
    mdm_pickle_close_dict(&j->w->pickle);
    MDM_TRY(add_optimizer(j));
    mdm_pickle_open_dict(mdm_export_key(j, "ema"));
    MDM_TRY(add_averager(j));
    mdm_pickle_close_dict(&j->w->pickle);
    mdm_pickle_none(mdm_export_key(j, "scaler"));
    tell(j);
    return MASKDM_OK;
}
