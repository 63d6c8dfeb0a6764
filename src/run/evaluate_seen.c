/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Whether a model was trained on the images that it is measured on: the list of them beside its file says so.
 */
#include "run/evaluate.h"

#include "base/alloc.h"
#include "base/error.h"
#include "data/manifest.h"
#include "os/file.h"

#include <string.h>

static const size_t list_limit = SIZE_MAX / 16; /* bytes: a list is as long as there are files */

/* The list of the run that wrote this file, where it lies in the run's folder. */
static char *list_beside(const char *model)
{
    const char *slash = strrchr(model, '/');
    char *folder = slash ? mdm_strndup(model, (size_t)(slash - model) + 1) : mdm_strdup("."), *list = NULL;

    if (folder)
        list = mdm_path_join(folder, "data.json");
    else
        (void)mdm_fail_memory(strlen(model), "a file name");
    mdm_free(folder);
    return list;
}

static int are_same(int *same, const char *list, maskdm_data *data, maskdm_control *control)
{
    struct mdm_text now = {0}, difference = {0};
    size_t bytes;
    char *old;
    int status;

    MDM_TRY(mdm_data_mark(data, control));
    MDM_TRY(mdm_file_read_all(&old, &bytes, list, list_limit));
    status = mdm_manifest_write(data, &now);
    if (status == MASKDM_OK)
        status = mdm_manifest_difference(&difference, old, bytes, now.data, now.length);
    *same = status == MASKDM_OK && !difference.length;
    mdm_text_free(&now);
    mdm_text_free(&difference);
    mdm_free(old);
    return status == MASKDM_EFORMAT || status == MASKDM_EVERSION ? MASKDM_OK : status; /* then nobody knows */
}

int mdm_evaluate_tell_seen(const char *model, maskdm_data *data, maskdm_control *control)
{
    char *list = list_beside(model);
    enum mdm_file_kind kind;
    int same = 0, status;

    if (!list)
        return MASKDM_ENOMEM;
    status = mdm_file_kind_of(&kind, list);
    if (status == MASKDM_OK && kind != MDM_FILE_NONE)
        status = are_same(&same, list, data, control);
    if (status == MASKDM_OK && same)
        mdm_log_line(mdm_control_log(control), MASKDM_LOG_WARN,
                     "%s lists these very images: the model was trained on them, but for those that its run held "
                     "out, and their errors say little of others",
                     list);
    mdm_free(list);
    return status;
}
