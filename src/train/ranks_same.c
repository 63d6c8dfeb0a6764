/* SPDX-License-Identifier: BSD-2-Clause
 *
 * What all ranks must have alike, as lines: ranks that differ would each train a model of its own, and add up what
 * does not belong together.
 */
#include "train/ranks.h"

#include "base/alloc.h"
#include "base/digest.h"
#include "base/error.h"
#include "data/manifest.h"
#include "train/trainer.h"
#include "train/tune.h"

#include <string.h>

enum { PIECE = 1 << 18 }; /* values */

void mdm_ranks_list(struct mdm_text *lines, const char *what, const maskdm_options *o)
{
    struct mdm_option_place p;

    for (int64_t i = 0; o && mdm_option_at(&p, mdm_options_kind(o), i); i++) {
        const char *value = mdm_options_text(o, p.option->name);

        if (value && !p.option->is_path && mdm_options_belongs(o, p.option->name))
            mdm_text_addf(lines, "%s %s %s\n", what, p.option->name, *value ? value : "unset");
    }
}

static int add_block(struct mdm_digest *d, const maskdm_trainer *tr, const float *block, float *piece)
{
    const size_t count = tr->block_bytes / sizeof *block;

    for (size_t at = 0; at < count; at += PIECE) {
        const size_t bytes = (count - at < PIECE ? count - at : PIECE) * sizeof *block;

        MDM_TRY(mdm_device_download(tr->device, piece, block + at, bytes));
        mdm_digest_add(d, piece, bytes);
    }
    return MASKDM_OK;
}

/* Weights, moments and averages. */
static int list_state(struct mdm_text *lines, const maskdm_trainer *tr)
{
    const maskdm_optimizer *o = tr->optimizer;
    const float *block[] = {o->weights, o->moment1, o->moment2, o->ema, o->further[0], o->further[1], o->further[2]};
    float *piece = mdm_need_aligned(PIECE * sizeof *piece, "a piece of the weights");
    struct mdm_digest d;
    char text[17];
    int status = piece ? MASKDM_OK : MASKDM_ENOMEM;

    mdm_digest_start(&d);
    for (size_t i = 0; i < MDM_LENGTH(block) && status == MASKDM_OK; i++)
        if (block[i])
            status = add_block(&d, tr, block[i], piece);
    mdm_digest_text(&d, text);
    mdm_text_addf(lines, "weights and moments of digest %s\n", text);
    mdm_free(piece);
    return status;
}

/* What computes: its kind and what decides the bits of its results, but not how many threads there are, nor which of
 * several GPUs it is. */
static void list_device(struct mdm_text *lines, const maskdm_trainer *tr)
{
    const char *name = mdm_device_backend(tr->device)->v->name, *text = strstr(mdm_device_text(tr->device), ", ");
    const size_t n = !text ? 0 : !strcmp(name, "cpu") ? strcspn(text + 2, " ,") : strlen(text + 2);

    mdm_text_addf(lines, "the device %s, %.*s\n", name, (int)n, text ? text + 2 : "");
}

static void list_data(struct mdm_text *lines, const maskdm_data *data)
{
    char identity[MDM_IDENTITY];

    mdm_data_identity(data, identity);
    mdm_text_addf(lines, "%s\n", identity);
}

static int list(struct mdm_text *lines, const maskdm_trainer *tr, const maskdm_data *data)
{
    const maskdm_model *m = tr->model;

    mdm_text_addf(lines, "the network %s\n", m->network->name);
    mdm_ranks_list(lines, "the network's", m->options);
    mdm_ranks_list(lines, "the scheduler's", m->scheduler->options);
    mdm_text_addf(lines, "the mask %s\n", mdm_mask_name(tr->mask));
    mdm_ranks_list(lines, "the mask's", tr->mask ? tr->mask->options : NULL);
    mdm_ranks_list(lines, "the trainer's", tr->options);
    mdm_ranks_list(lines, "the optimizer's", tr->optimizer->options);
    mdm_ranks_list(lines, "the average's", tr->optimizer->ema_options);
    mdm_ranks_list(lines, "the tuning's", tr->tune ? tr->tune->options : NULL);
    list_device(lines, tr);
    list_data(lines, data);
    MDM_TRY(list_state(lines, tr));
    return mdm_text_ok(lines);
}

int mdm_ranks_compare(maskdm_trainer *tr, const maskdm_data *data)
{
    struct mdm_text lines = {0};
    int status = list(&lines, tr, data);

    status = mdm_comm_meet(tr->ranks.comm, status, "a comparison", NULL);
    if (status == MASKDM_OK)
        status = mdm_comm_compare(tr->ranks.comm, "", &lines);
    mdm_text_free(&lines);
    return status;
}
