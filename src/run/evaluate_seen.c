/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Whether a model was trained on the images that it is measured on: the list of a run's data beside its file says so.
 */
#include "run/evaluate.h"

#include "base/alloc.h"
#include "base/error.h"
#include "data/manifest.h"
#include "os/file.h"

int mdm_evaluate_tell_seen(const char *model, maskdm_data *data, maskdm_control *control)
{
    char *list = mdm_path_beside(model, "data.json");
    struct mdm_text difference = {0};
    int is_there, status;

    if (!list)
        return MASKDM_ENOMEM;
    status = mdm_manifest_compare(&is_there, &difference, list, data, control);
    if (status == MASKDM_OK && is_there && !difference.length)
        mdm_log_line(mdm_control_log(control), MASKDM_LOG_WARN,
                     "%s lists these very images: the model was trained on them, but for those that its run held "
                     "out, and their errors say little of others",
                     list);
    mdm_text_free(&difference);
    mdm_free(list);
    return status;
}
