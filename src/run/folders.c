/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The folders of a run may lie in one another: its own in the data, held-out images beside those that are trained on.
 * Each is then left out of the others, told by what it is and not by its path, so that no link leads around that.
 */
#include "run/run.h"

#include "data/scan.h"
#include "util/error.h"

#include <string.h>

int maskdm_run_val_is_folder(const maskdm_options *o)
{
    const char *val = maskdm_optionset_string(o, "val");
    double share;

    return *val && maskdm_parse_double(val, &share) < 0;
}

static int same_folder(const struct maskdm_folder_id *a, const struct maskdm_folder_id *b)
{
    return a->device == b->device && a->number == b->number;
}

/* What a path leads to; 0: to no folder. */
static int identify(struct maskdm_folder_id *id, const char *path)
{
    enum maskdm_file_kind kind;

    MASKDM_TRY(maskdm_file_kind_of(&kind, path));
    if (kind != MASKDM_FILE_FOLDER)
        return 0;
    MASKDM_TRY(maskdm_folder_id(id, path));
    return 1;
}

int maskdm_run_val_is_data(const struct maskdm_run *run)
{
    struct maskdm_folder_id a, b;
    int found = identify(&a, maskdm_optionset_string(run->options, "data"));

    if (found > 0)
        found = identify(&b, maskdm_optionset_string(run->options, "val"));
    return found > 0 ? same_folder(&a, &b) : found;
}

int maskdm_run_exceptions(const struct maskdm_run *run, int held_out, struct maskdm_scan_except *list)
{
    const char *data = maskdm_optionset_string(run->options, "data");
    const char *val = maskdm_optionset_string(run->options, "val"), *path = held_out ? val : data;
    struct maskdm_folder_id images;
    int found;

    memset(list, 0, MASKDM_RUN_EXCEPTIONS * sizeof *list);
    MASKDM_TRY(maskdm_folder_id(&images, path));
    found = identify(&list->id, run->out);
    if (found > 0 && same_folder(&list->id, &images))
        return maskdm_fail(MASKDM_EINVAL, "%s cannot be the run's own folder: it is the folder of images %s",
                           run->out, path);
    if (found > 0)
        list++->what = "the folder of this run";
    MASKDM_TRY(found);
    if (!maskdm_run_val_is_folder(run->options))
        return MASKDM_OK;
    found = identify(&list->id, held_out ? data : val);
    if (found > 0 && !same_folder(&list->id, &images))
        list->what = held_out ? "the folder of the training images" : "the folder of the held-out images";
    return found < 0 ? found : MASKDM_OK;
}
