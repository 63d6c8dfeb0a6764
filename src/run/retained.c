/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Images of the model that a run goes on from, which keep what it can: a folder, found, counted and read as the run's
 * own images are, beside these.
 */
#include "run/run.h"

#include "base/error.h"
#include "data/data.h"
#include "data/options.h"
#include "data/source.h"

int mdm_run_find_retained(struct mdm_run *run)
{
    const struct mdm_scan_except none = {.what = NULL};

    if (!run->finetune || !*run->told.retain)
        return MASKDM_OK;
    MDM_TRY(mdm_source_find(&run->found_retained, run->told.retain, &none, &run->voice, run->control));
    mdm_data_tell_found(&run->found_retained, run->told.retain, &run->voice);
    if (!run->told.resume)
        return MASKDM_OK;
    MDM_TRY(mdm_scan_mark_all(&run->found_retained, run->control));
    return mdm_run_recall(run, &run->found_retained, MDM_RUN_RETAINED);
}

int mdm_run_take_retained(struct mdm_run *run)
{
    const struct mdm_geometry *g = &run->model->geometry;
    const int64_t size[] = {g->height, g->width};
    struct mdm_folder_options told;

    if (!run->finetune || !*run->told.retain)
        return MASKDM_OK;
    mdm_options_read(run->options, &mdm_images_options, &told);
    told.image_size = (struct mdm_int_list){MDM_LENGTH(size), size};
    told.channels = g->channels;
    return mdm_data_folder(&run->retained, run->device, run->told.retain, &run->found_retained, &told, run->options);
}

/* Their number against what a batch needs of them. */
int mdm_run_give_retained(struct mdm_run *run)
{
    return run->retained ? mdm_retain_set(run->trainer, run->retained) : MASKDM_OK;
}

int mdm_run_read_retained(struct mdm_run *run)
{
    if (!run->retained)
        return MASKDM_OK;
    MDM_TRY(mdm_data_mark(run->retained, run->control));
    MDM_TRY(mdm_data_read(run->retained, run->retained_list == MDM_RUN_SAME, &run->voice, run->control));
    return mdm_run_give_retained(run); /* again, since broken images are no longer counted */
}
