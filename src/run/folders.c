/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The folders of a run may lie in one another: its own in the data, held-out images beside those that are trained on.
 * Each is then left out of the others, told by what it is and not by its path, so that no link leads around that.
 */
#include "run/run.h"

#include "base/error.h"
#include "data/scan.h"

#include <string.h>

static int same_folder(const struct mdm_folder_id *a, const struct mdm_folder_id *b)
{
    return a->device == b->device && a->number == b->number;
}

/* What a path leads to; 0: to neither a folder nor a file. */
static int identify(struct mdm_folder_id *id, const char *path)
{
    enum mdm_file_kind kind;

    MDM_TRY(mdm_file_kind_of(&kind, path));
    if (kind != MDM_FILE_FOLDER && kind != MDM_FILE_REGULAR)
        return 0;
    MDM_TRY(mdm_folder_id(id, path));
    return 1;
}

int mdm_run_val_is_data(const struct mdm_run *run)
{
    struct mdm_folder_id a, b;
    int found = identify(&a, run->told.data);

    if (found > 0)
        found = identify(&b, run->told.val);
    return found > 0 ? same_folder(&a, &b) : found;
}

int mdm_run_exceptions(const struct mdm_run *run, int held_out, struct mdm_scan_except *list)
{
    const char *data = run->told.data, *val = run->told.val, *path = held_out ? val : data;
    struct mdm_folder_id images;
    int found;

    memset(list, 0, MDM_RUN_EXCEPTIONS * sizeof *list);
    MDM_TRY(mdm_folder_id(&images, path));
    found = identify(&list->id, run->told.out);
    if (found > 0 && same_folder(&list->id, &images))
        return mdm_fail(MASKDM_EINVAL, "%s cannot be the run's own folder: it is the folder of images %s",
                        run->told.out, path);
    if (found > 0)
        list++->what = "the folder of this run";
    MDM_TRY(found);
    if (!*val)
        return MASKDM_OK;
    found = identify(&list->id, held_out ? data : val);
    if (found > 0 && !same_folder(&list->id, &images))
        list->what = held_out ? "the folder of the training images" : "the folder of the held-out images";
    return found < 0 ? found : MASKDM_OK;
}
