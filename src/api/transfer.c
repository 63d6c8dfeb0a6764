/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Public face of models made from models.
 */
#include <maskdm/model.h>

#include "api/argument.h"
#include "model/classes.h"
#include "model/transfer.h"

/* The options of the new model: the model's, with what may be others of `given`. MASKDM_EINVAL for anything else. */
static int settle(maskdm_options **out, const maskdm_model *model, const maskdm_options *given)
{
    maskdm_options *part = NULL;
    const char *name = NULL;
    int changed, status = mdm_options_extract(out, given, model->network->kind);

    if (status == MASKDM_OK)
        status = mdm_transfer_options(&part, &changed, model, *out);
    if (status == MASKDM_OK)
        status = mdm_options_follow(*out, part, &name);
    if (status == MASKDM_OK && name)
        status = mdm_fail(MASKDM_EINVAL,
                          "%s is %s, but the model's is %s, and a model of other weights cannot go on from it",
                          mdm_options_said(*out, name), mdm_options_text(*out, name), mdm_options_text(part, name));
    mdm_options_release(&part);
    if (status < 0)
        mdm_options_release(out);
    return status;
}

/* Names of the new labels, which are no more than there are classes. */
static int name_labels(struct mdm_labels *out, const maskdm_model *model, const maskdm_options *options,
                       const char *const *names, int64_t count)
{
    struct mdm_labels first = {0};
    struct mdm_geometry g;
    int status = model->network->geometry(&g, options);

    if (status == MASKDM_OK)
        status = mdm_labels_set(&first, names, count, g.classes);
    if (status == MASKDM_OK)
        status = mdm_classes_names(out, &first, g.classes, &model->labels);
    mdm_labels_free(&first);
    return status;
}

int maskdm_model_transfer(maskdm_model **out, maskdm_model *model, const maskdm_options *options,
                          const char *const *names, int64_t count, uint64_t seed, maskdm_transfer_callback callback,
                          void *user)
{
    const struct mdm_transfer_report report = {callback, user};
    struct mdm_labels labels = {0};
    struct mdm_work work = {0};
    maskdm_options *o = NULL;
    int status;

    MDM_NEED_OUT(out);
    MDM_NEED(model);
    MDM_NEED(options);
    MDM_NEED_COUNT(count);
    MDM_NEED_ARRAY(names, count);
    MDM_TRY(mdm_work_share(&work, &model->handle));
    MDM_TRY(mdm_work_share(&work, mdm_options_handle(options)));
    status = settle(&o, model, options);
    if (status == MASKDM_OK)
        status = name_labels(&labels, model, o, names, count);
    if (status == MASKDM_OK)
        status = mdm_transfer(out, model, o, &labels, seed, report);
    mdm_labels_free(&labels);
    mdm_options_release(&o);
    return mdm_work_end(&work, status);
}
