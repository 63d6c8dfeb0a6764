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

/* Put a folder into the list, if there is one; that of the images themselves is refused. */
static int add_exception(struct maskdm_scan_except *list, const char *path, const char *what,
                         const struct maskdm_folder_id *images, const char *images_path)
{
    enum maskdm_file_kind kind;

    while (list->what)
        list++;
    MASKDM_TRY(maskdm_file_kind_of(&kind, path));
    if (kind != MASKDM_FILE_FOLDER)
        return MASKDM_OK;
    MASKDM_TRY(maskdm_folder_id(&list->id, path));
    if (list->id.device == images->device && list->id.number == images->number)
        return maskdm_fail(MASKDM_EINVAL, "%s is %s and holds the images of %s as well", path, what, images_path);
    list->what = what;
    return MASKDM_OK;
}

int maskdm_run_exceptions(const struct maskdm_run *run, int held_out, struct maskdm_scan_except *list)
{
    const char *data = maskdm_optionset_string(run->options, "data");
    const char *val = maskdm_optionset_string(run->options, "val"), *path = held_out ? val : data;
    struct maskdm_folder_id images;

    memset(list, 0, MASKDM_RUN_EXCEPTIONS * sizeof *list);
    MASKDM_TRY(maskdm_folder_id(&images, path));
    MASKDM_TRY(add_exception(list, run->out, "the folder of this run", &images, path));
    if (held_out)
        return add_exception(list, data, "the folder of the training images", &images, path);
    return maskdm_run_val_is_folder(run->options)
               ? add_exception(list, val, "the folder of the held-out images", &images, path)
               : MASKDM_OK;
}
