/* SPDX-License-Identifier: BSD-2-Clause
 *
 * A model as the checkpoint that its authors' program writes itself, so that the program loads it unmodified:
 * MaskDM's
 * {"step", "model", "opt", "ema", "scaler"}, or DiT's {"model", "ema"}. What such a program has no place for stands
 * in two dictionaries more, which it does not look at and from which a conversion back has it all.
 */
#include "run/export.h"

#include "base/alloc.h"
#include "base/error.h"
#include "model/options.h"
#include "model/routing.h"
#include "tensorfile/torch_save.h"
#include "text/text.h"

#include <string.h>

/* ---- DiT's ---- */

static int write_plain(struct mdm_export *j)
{
    mdm_pickle_open_dict(mdm_export_key(j, "model"));
    MDM_TRY(mdm_export_weights(j, 1, ""));
    mdm_pickle_close_dict(&j->w->pickle);
    mdm_pickle_open_dict(mdm_export_key(j, "ema"));
    MDM_TRY(mdm_export_weights(j, 0, ""));
    mdm_pickle_close_dict(&j->w->pickle);
    return MASKDM_OK;
}

/* ---- JiT's ---- */

/* What its program goes on from and draws with: the network within a module, and two averages, of which there is one
 * here. Its optimizer begins anew where there is none. */
static int write_jit(struct mdm_export *j)
{
    static const char *const average[] = {"model_ema1", "model_ema2"};

    mdm_pickle_open_dict(mdm_export_key(j, "model"));
    MDM_TRY(mdm_export_weights(j, 1, "net."));
    mdm_pickle_close_dict(&j->w->pickle);
    for (size_t i = 0; i < MDM_LENGTH(average); i++) {
        mdm_pickle_open_dict(mdm_export_key(j, average[i]));
        MDM_TRY(mdm_export_weights(j, 0, "net."));
        mdm_pickle_close_dict(&j->w->pickle);
    }
    return MASKDM_OK;
}

/* ---- the first U-ViT's ---- */

static int is_original(const struct mdm_export *j)
{
    struct mdm_uvit_options u;

    mdm_options_read(j->model->options, &mdm_uvit_options, &u);
    return u.form == MDM_UVIT_ORIGINAL;
}

/* Whose program loads a network's weights and nothing else from a file. */
static int write_bare(struct mdm_export *j)
{
    MDM_TRY(mdm_export_weights(j, 0, ""));
    mdm_log_line(j->log, MASKDM_LOG_WARN,
                 "the authors' program reads one set of weights alone: heads, scheduler%s%s "
                 "stay behind in the model file",
                 j->model->labels.count ? ", names of labels" : "", j->sets == 2 ? ", online weights" : "");
    return MASKDM_OK;
}

/* ---- the whole ---- */

static const struct form {
    const char *network;
    int (*fits)(const struct mdm_export *j); /* NULL: it always does */
    int (*write)(struct mdm_export *j);
    int closed; /* the program takes no dictionary beside those that it knows */
} forms[] = {{"uvit", is_original, write_bare, 1},
             {"uvit", NULL, mdm_export_maskdm, 0},
             {"dit", NULL, write_plain, 0},
             {"jit", NULL, write_jit, 0}};

/* NULL: there is none. */
static const struct form *form_of(const struct mdm_export *j)
{
    for (size_t i = 0; i < MDM_LENGTH(forms); i++)
        if (!strcmp(forms[i].network, j->model->network->name) && (!forms[i].fits || forms[i].fits(j)))
            return &forms[i];
    return NULL;
}

static int begin(struct mdm_export *j, int dtype)
{
    const float *const block[2] = {j->model->ema, j->model->online};

    for (; j->sets < 2 && block[j->sets]; j->sets++) {
        const int count = j->model->layout.count;

        MDM_TRY(mdm_narrow_begin(&j->narrow[j->sets], j->model->device, block[j->sets], dtype));
        MDM_TRY(mdm_narrow_check(&j->narrow[j->sets], &j->model->layout));
        j->storage[j->sets] = mdm_need((size_t)count, sizeof *j->storage[0], "places of weights");
        if (!j->storage[j->sets])
            return MASKDM_ENOMEM;
        for (int i = 0; i < count; i++)
            j->storage[j->sets][i] = -1;
    }
    return mdm_torch_writer_create(&j->w);
}

static int write_all(struct mdm_export *j, int dtype)
{
    const struct form *form = form_of(j);
    struct mdm_routing routing;

    MDM_TRY(mdm_network_routing(&routing, j->model->network, j->model->options));
    if (form && routing.sprint)
        return mdm_fail(MASKDM_ENOTSUP, "checkpoints of network \"%s\" have no place for a sprint's weights",
                        j->model->network->name);
    if (!form)
        return mdm_fail(MASKDM_ENOTSUP, "checkpoints of network \"%s\" are not written", j->model->network->name);
    MDM_TRY(begin(j, dtype));
    mdm_pickle_open_dict(&j->w->pickle);
    MDM_TRY(form->write(j));
    if (!form->closed)
        MDM_TRY(mdm_export_own(j));
    mdm_pickle_close_dict(&j->w->pickle);
    return MASKDM_OK;
}

int mdm_export_torch(const maskdm_model *model, int dtype, const struct mdm_log *log, struct mdm_writer **file)
{
    struct mdm_export j = {.model = model, .log = log};
    int status = write_all(&j, dtype);

    if (status == MASKDM_OK)
        status = mdm_torch_writer_save(j.w, file);
    else
        mdm_writer_abandon(file);
    mdm_torch_writer_release(&j.w);
    mdm_export_buffers_free(&j.buffers);
    for (int k = 0; k < 2; k++) {
        mdm_narrow_end(&j.narrow[k]);
        mdm_free(j.storage[k]);
    }
    return status;
}
