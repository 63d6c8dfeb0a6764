/* SPDX-License-Identifier: BSD-2-Clause */
#include "data/find.h"

#include "base/error.h"
#include "data/labelled.h"
#include "data/mixture.h"
#include "data/source.h"

/* Where the options name a file of labels, they take the place of those that the source at `path` has. */
static int give_labels(struct mdm_scan *s, const char *path, const struct mdm_folder_options *told,
                       const maskdm_options *from, const struct mdm_log *log)
{
    const struct mdm_labelled by = {told->label_file, told->label_attribute,
                                    mdm_options_said(from, "label_attribute")};

    if (*told->label_file)
        return mdm_labelled_give(s, path, &by, log);
    return *told->label_attribute ? mdm_fail(MASKDM_EINVAL, "%s goes with %s, which is not given", by.said,
                                             mdm_options_said(from, "label_file"))
                                  : MASKDM_OK;
}

int mdm_data_find(struct mdm_scan *found, const char *path, const struct mdm_scan_except *except,
                  const struct mdm_folder_options *told, const maskdm_options *from, const struct mdm_log *log,
                  maskdm_control *control)
{
    int status, several;

    MDM_TRY(mdm_mixture_is(&several, path));
    MDM_TRY((several ? mdm_mixture_find : mdm_source_find)(found, path, except, log, control));
    status = give_labels(found, path, told, from, log);
    if (status < 0)
        mdm_scan_free(found);
    return status;
}
