/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The trainer's programs. Shapes are fixed per program, so that a level of the run's pace has one of its own. All
 * stand in one arena, that of the level which needs most: what the run will need is taken when it begins. Only one is
 * there beside it at a time, since recording and planning cost no more than a part of a step.
 */
#include "train/trainer.h"

#include "base/error.h"
#include "base/format.h"

int mdm_levels_extent(struct mdm_extent *out, const struct mdm_pace *pace, const maskdm_model *model,
                      const struct mdm_pace_level *level)
{
    *out = (struct mdm_extent){
        .batch = mdm_pace_rows(pace, level), .visible = level->visible, .second = level->second};
    return mdm_network_train(model->network, model->options, out);
}

static void enlarge(int64_t *most, int64_t x)
{
    *most = x > *most ? x : *most;
}

int mdm_levels_most(struct mdm_extent *out, const struct mdm_pace *pace, const maskdm_model *model)
{
    *out = (struct mdm_extent){0};
    for (int i = 0; i < pace->levels; i++) {
        struct mdm_extent e;

        MDM_TRY(mdm_levels_extent(&e, pace, model, &pace->level[i]));
        enlarge(&out->batch, e.batch);
        enlarge(&out->visible, e.visible);
        for (int k = 0; k < MDM_MOST_ROUTES; k++)
            enlarge(&out->routed[k], e.routed[k]);
    }
    return MASKDM_OK;
}

int mdm_levels_largest(size_t *bytes, struct mdm_extent *largest, const struct mdm_pace *pace, maskdm_model *model,
                       enum mdm_program_use use)
{
    *bytes = 0;
    for (int i = 0; i < pace->levels; i++) {
        struct mdm_extent e;
        size_t arena;

        MDM_TRY(mdm_levels_extent(&e, pace, model, &pace->level[i]));
        MDM_TRY(mdm_program_estimate(&arena, &model->layout, model->device, model->network, model->options, e, use));
        if (i && arena <= *bytes)
            continue;
        *bytes = arena;
        *largest = e;
    }
    return MASKDM_OK;
}

/* The level's program, which is `room` itself where that is of its shape. */
static int make_in(struct mdm_program **out, const maskdm_trainer *tr, struct mdm_program *room,
                   const struct mdm_pace_level *level, enum mdm_program_use use)
{
    struct mdm_extent e;

    MDM_TRY(mdm_levels_extent(&e, &tr->pace, tr->model, level));
    *out = room;
    if (e.batch == room->extent.batch && e.visible == room->extent.visible && e.second == room->extent.second)
        return MASKDM_OK;
    return mdm_program_create_in(out, room, e, use);
}

static void adopt(maskdm_trainer *tr, struct mdm_program *program, const struct mdm_pace_level *level)
{
    tr->program = program;
    tr->level = level;
    tr->batch_size = level->batch_size;
    tr->images = level->batch_size / tr->pace.accumulate;
    tr->batch = program->extent.batch;
    tr->visible = program->extent.visible;
    tr->stage = MDM_STAGE_EMPTY;
}

void mdm_trainer_release_programs(maskdm_trainer *tr)
{
    mdm_program_release(&tr->check); /* it may stand in the arena of the others */
    if (tr->program != tr->room)
        mdm_program_release(&tr->program);
    mdm_program_release(&tr->room);
    tr->program = NULL;
}

int mdm_trainer_make_programs(maskdm_trainer *tr, enum mdm_program_use use)
{
    const struct mdm_pace_level *now = mdm_pace_at(&tr->pace, tr->optimizer->steps);
    struct mdm_program *room, *program;
    struct mdm_extent largest;
    size_t bytes;
    int status;

    MDM_TRY(mdm_levels_largest(&bytes, &largest, &tr->pace, tr->model, use));
    MDM_TRY(mdm_program_create(&room, tr->model, largest, use));
    status = make_in(&program, tr, room, now, use);
    if (status < 0) {
        mdm_program_release(&room);
        return status;
    }
    if (tr->room)
        tr->memory += room->arena_bytes - tr->room->arena_bytes;
    mdm_trainer_release_programs(tr);
    tr->room = room;
    tr->use = use;
    adopt(tr, program, now);
    return MASKDM_OK;
}

void mdm_trainer_describe_level(char *out, size_t size, const maskdm_trainer *tr, const struct mdm_pace_level *level)
{
    const int64_t patches = tr->model->geometry.patches;

    if (tr->pace.groups > 1)
        mdm_format(out, size, "mask %s divides the patches into %lld groups of %lld", mdm_mask_name(tr->mask),
                   (long long)tr->pace.groups, (long long)level->visible);
    else
        mdm_format(out, size, "mask %s hides %.2f %% of the patches (%lld of %lld visible)", mdm_mask_name(tr->mask),
                   100 * (1 - (double)level->visible / (double)patches), (long long)level->visible,
                   (long long)patches);
}

/* One that begins here; where a run is resumed, it has been told of its level. */
static void tell(const maskdm_trainer *tr)
{
    char line[MDM_LEVEL_TEXT];

    if (tr->level->from != tr->optimizer->steps)
        return;
    mdm_trainer_describe_level(line, sizeof line, tr, tr->level);
    mdm_log_line(mdm_control_log(tr->control), MASKDM_LOG_INFO, "step %lld: %s, %lld image%s a step",
                 (long long)tr->level->from, line, (long long)tr->batch_size, tr->batch_size == 1 ? "" : "s");
}

int mdm_trainer_follow(maskdm_trainer *tr)
{
    const struct mdm_pace_level *now = mdm_pace_at(&tr->pace, tr->optimizer->steps);
    struct mdm_program *program;

    if (now == tr->level)
        return MASKDM_OK;
    MDM_TRY(make_in(&program, tr, tr->room, now, tr->use));
    if (tr->program != tr->room)
        mdm_program_release(&tr->program);
    adopt(tr, program, now);
    tell(tr);
    return MASKDM_OK;
}

int mdm_trainer_want_input_gradient(maskdm_trainer *tr)
{
    return tr->use == MDM_PROGRAM_TRAIN_INPUT ? MASKDM_OK : mdm_trainer_make_programs(tr, MDM_PROGRAM_TRAIN_INPUT);
}
