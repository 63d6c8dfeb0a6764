/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Training state in one safetensors file: NAME the online weights, ema.NAME, moment1.NAME, moment2.NAME, and the
 * counters as a tensor. The options stand in the metadata and must equal the trainer's; a digest covers every byte.
 * Data position, flips, masks, times and noise all follow from step and seed.
 */
#include "train/trainer.h"

#include "diffusion/scheduler.h"
#include "io/safetensors.h"
#include "util/alloc.h"
#include "util/error.h"

#include <math.h>
#include <string.h>

enum { STEPS, APPLIED, EMA_UPDATES, SKIPPED, BAD, COUNTERS };
static const char counters_name[] = "state.counters";

/* ---- what the options say, as metadata ---- */

static void describe_mask(const maskdm_trainer *tr, struct maskdm_text *out)
{
    const struct maskdm_mask *m = tr->mask;

    maskdm_text_add(out, maskdm_masking_name(m));
    if (m) {
        maskdm_text_add(out, ", ratio ");
        maskdm_text_add_double(out, m->ratio);
        maskdm_text_addf(out, ", block_size %lld, crop_size %lld", (long long)m->block_size, (long long)m->crop_size);
    }
    maskdm_text_addf(out, ", %lld visible", (long long)tr->visible);
}

static int write_meta(struct maskdm_st_writer *w, const maskdm_trainer *tr)
{
    const struct {
        const char *key;
        const maskdm_options *options;
    } part[] = {{"maskdm.trainer.options", tr->options},
                {"maskdm.optimizer.options", tr->optimizer->options},
                {"maskdm.ema.options", tr->optimizer->ema_options}};
    struct maskdm_text text = {0};
    char step[32];
    int status;

    MASKDM_TRY(maskdm_weights_write_meta(w, tr->model));
    MASKDM_TRY(maskdm_st_writer_meta(w, "maskdm.kind", "state"));
    maskdm_format(step, sizeof step, "%lld", (long long)tr->optimizer->steps);
    MASKDM_TRY(maskdm_st_writer_meta(w, "maskdm.step", step));
    for (size_t i = 0; i < MASKDM_LENGTH(part); i++) {
        maskdm_optionset_write_json(part[i].options, &text);
        status = maskdm_text_ok(&text);
        if (status == MASKDM_OK)
            status = maskdm_st_writer_meta(w, part[i].key, text.data);
        maskdm_text_free(&text);
        MASKDM_TRY(status);
    }
    describe_mask(tr, &text);
    status = maskdm_text_ok(&text);
    if (status == MASKDM_OK)
        status = maskdm_st_writer_meta(w, "maskdm.mask", text.data);
    if (status == MASKDM_OK && *tr->data)
        status = maskdm_st_writer_meta(w, "maskdm.data", tr->data);
    maskdm_text_free(&text);
    return status;
}

int maskdm_training_save(maskdm_trainer *tr, const char *path)
{
    const struct maskdm_params *layout = &tr->model->layout;
    const maskdm_optimizer *o = tr->optimizer;
    const int64_t counters[COUNTERS] = {o->steps, o->applied, o->ema_updates, tr->skipped, tr->bad_in_a_row};
    const int64_t shape[1] = {COUNTERS};
    struct maskdm_st_writer *w;
    int status;

    if (tr->broken)
        return maskdm_fail(MASKDM_EINVAL, "the trainer holds half of a state file; there is nothing to save");
    MASKDM_TRY(maskdm_adamw_check(o));
    MASKDM_TRY(maskdm_st_writer_create(&w));
    status = write_meta(w, tr);
    if (status == MASKDM_OK)
        status = maskdm_st_writer_add(w, counters_name, "I64", shape, 1, counters);
    if (status == MASKDM_OK)
        status = maskdm_weights_write_block(w, layout, "", tr->weights);
    if (status == MASKDM_OK && o->ema)
        status = maskdm_weights_write_block(w, layout, "ema.", o->ema);
    if (status == MASKDM_OK)
        status = maskdm_weights_write_block(w, layout, "moment1.", o->moment1);
    if (status == MASKDM_OK)
        status = maskdm_weights_write_block(w, layout, "moment2.", o->moment2);
    if (status == MASKDM_OK)
        status = maskdm_st_writer_save(w, path, 1);
    maskdm_st_writer_release(&w);
    return status;
}

/* ---- loading ---- */

static int compare_json(struct maskdm_st *s, const char *key, const char *what, const maskdm_options *ours)
{
    const char *json = maskdm_st_meta(s, key), *name;
    char *theirs = NULL, *mine = NULL;
    maskdm_options *o;
    struct maskdm_json j;
    int status;

    if (!json)
        return maskdm_fail(MASKDM_EFORMAT, "metadata entry \"%s\" is missing", key);
    MASKDM_TRY(maskdm_optionset_create(&o, maskdm_optionset_kind(ours)));
    maskdm_json_open(&j, json, strlen(json));
    status = maskdm_optionset_read_json(o, &j);
    if (status == MASKDM_OK)
        status = maskdm_json_expect(&j, MASKDM_JSON_END);
    maskdm_json_close(&j);
    if (status < 0 && status != MASKDM_ENOMEM)
        status = maskdm_fail_prefix(MASKDM_EFORMAT, "metadata entry \"%s\"", key);
    if (status == MASKDM_OK)
        status = maskdm_optionset_difference(o, ours, NULL, &name, &theirs, &mine);
    if (status == MASKDM_OK && name)
        status = maskdm_fail(MASKDM_EINVAL, "the file's %s has %s %s, this one %s", what, name, theirs, mine);
    maskdm_free(theirs);
    maskdm_free(mine);
    maskdm_optionset_release(&o);
    return status;
}

static int compare_text(struct maskdm_st *s, const char *key, const char *what, const char *ours)
{
    const char *theirs = maskdm_st_meta(s, key);

    if (!theirs)
        return maskdm_fail(MASKDM_EFORMAT, "metadata entry \"%s\" is missing", key);
    if (strcmp(theirs, ours) != 0)
        return maskdm_fail(MASKDM_EINVAL, "the file's %s is %s, this one %s", what, theirs, ours);
    return MASKDM_OK;
}

static int compare_options(struct maskdm_st *s, const maskdm_trainer *tr)
{
    struct maskdm_text mask = {0};
    int status;

    MASKDM_TRY(compare_text(s, "maskdm.network", "network", tr->model->network->name));
    MASKDM_TRY(compare_json(s, "maskdm.network.options", "network", tr->model->options));
    MASKDM_TRY(compare_json(s, "maskdm.scheduler.options", "scheduler", tr->model->scheduler->options));
    MASKDM_TRY(compare_json(s, "maskdm.optimizer.options", "optimizer", tr->optimizer->options));
    MASKDM_TRY(compare_json(s, "maskdm.ema.options", "average", tr->optimizer->ema_options));
    MASKDM_TRY(compare_json(s, "maskdm.trainer.options", "trainer", tr->options));
    describe_mask(tr, &mask);
    status = maskdm_text_ok(&mask);
    if (status == MASKDM_OK)
        status = compare_text(s, "maskdm.mask", "mask", mask.data);
    maskdm_text_free(&mask);
    return status;
}

/* Damage comes before any other complaint: a flipped option is not an option that differs. */
static int check_whole(struct maskdm_st *s)
{
    const char *kind = maskdm_st_meta(s, "maskdm.kind");

    if (!kind || strcmp(kind, "state") != 0)
        return maskdm_fail(MASKDM_EFORMAT, "this is not a training state");
    MASKDM_TRY(maskdm_st_verify(s));
    return maskdm_weights_check_version(s);
}

static int read_counters(struct maskdm_st *s, int64_t counters[COUNTERS])
{
    int64_t at = maskdm_st_find(s, counters_name);
    const char *step = maskdm_st_meta(s, "maskdm.step");
    char found[32];

    if (at < 0 || s->tensor[at].elements != COUNTERS)
        return maskdm_fail(MASKDM_EFORMAT, "tensor \"%s\" is missing or has not %d elements", counters_name,
                           COUNTERS);
    MASKDM_TRY(maskdm_st_read_i64(s, at, counters, COUNTERS));
    for (int i = 0; i < COUNTERS; i++)
        if (counters[i] < 0 || counters[i] > counters[STEPS])
            return maskdm_fail(MASKDM_EFORMAT, "counter %d of \"%s\" is %lld at step %lld", i, counters_name,
                               (long long)counters[i], (long long)counters[STEPS]);
    maskdm_format(found, sizeof found, "%lld", (long long)counters[STEPS]);
    if (!step || strcmp(step, found) != 0)
        return maskdm_fail(MASKDM_EFORMAT, "metadata say step %s, the counters %s", step ? step : "nothing", found);
    return MASKDM_OK;
}

/* Blocks in file order; with `check` their shapes alone. */
static int read_blocks(struct maskdm_st *s, maskdm_trainer *tr, int check)
{
    maskdm_optimizer *o = tr->optimizer;
    const struct {
        const char *prefix;
        float *block;
    } part[] = {{"", tr->weights}, {"ema.", o->ema}, {"moment1.", o->moment1}, {"moment2.", o->moment2}};

    for (size_t i = 0; i < MASKDM_LENGTH(part); i++) {
        if (!part[i].block)
            continue; /* no EMA */
        if (check)
            MASKDM_TRY(maskdm_weights_check_block(s, &tr->model->layout, part[i].prefix));
        else
            MASKDM_TRY(maskdm_weights_read_block(tr->model->device, s, &tr->model->layout, part[i].prefix,
                                                 part[i].block));
    }
    return MASKDM_OK;
}

/* A trainer of a model without names takes those of the file; where both have them, its own stay. */
static int follow_labels(maskdm_trainer *tr, struct maskdm_st *s, struct maskdm_labels *theirs)
{
    const struct maskdm_labels *ours = &tr->model->labels;
    int64_t at;

    MASKDM_TRY(maskdm_labels_read(theirs, maskdm_st_meta(s, "maskdm.labels"), tr->model->geometry.classes));
    at = maskdm_labels_difference(theirs, ours);
    if (at >= 0)
        maskdm_log_line(maskdm_control_log(tr->control), MASKDM_LOG_WARN,
                        "label %lld is %s in the file and %s in this trainer", (long long)at, theirs->name[at],
                        ours->name[at]);
    return MASKDM_OK;
}

/* Everything is judged, digest included, before the first block is touched. What then fails can only be the disk, and
 * leaves the trainer marked. */
static int load(maskdm_trainer *tr, struct maskdm_st *s, struct maskdm_labels *labels)
{
    maskdm_optimizer *o = tr->optimizer;
    const char *data = maskdm_st_meta(s, "maskdm.data");
    int64_t counters[COUNTERS];

    MASKDM_TRY(check_whole(s));
    MASKDM_TRY(compare_options(s, tr));
    MASKDM_TRY(read_counters(s, counters));
    MASKDM_TRY(follow_labels(tr, s, labels));
    MASKDM_TRY(read_blocks(s, tr, 1));
    tr->broken = 1;
    MASKDM_TRY(read_blocks(s, tr, 0));
    tr->broken = o->torn = 0;
    maskdm_format(tr->data, sizeof tr->data, "%s", data ? data : "");
    if (!tr->model->labels.count) {
        tr->model->labels = *labels;
        memset(labels, 0, sizeof *labels);
    }
    o->steps = counters[STEPS];
    o->applied = counters[APPLIED];
    o->ema_updates = counters[EMA_UPDATES];
    o->last_skipped = 0;
    o->grad_norm = (double)NAN;
    tr->skipped = counters[SKIPPED];
    tr->bad_in_a_row = counters[BAD];
    tr->last_loss = (double)NAN;
    tr->stage = MASKDM_STAGE_EMPTY;
    return maskdm_training_zero_gradients(tr);
}

int maskdm_training_load(maskdm_trainer *tr, const char *path)
{
    struct maskdm_labels labels = {0};
    struct maskdm_st s;
    int status;

    MASKDM_TRY(maskdm_st_open(&s, path));
    status = load(tr, &s, &labels);
    maskdm_labels_free(&labels);
    maskdm_st_close(&s);
    return status < 0 ? maskdm_fail_prefix(status, "%s", path) : MASKDM_OK;
}
