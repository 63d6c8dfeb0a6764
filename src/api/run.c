/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Public face of whole jobs: training runs, conversion, export and evaluation.
 */
#include "api/argument.h"
#include "data/data.h"
#include "run/average.h"
#include "run/convert.h"
#include "run/evaluate.h"
#include "run/pack.h"
#include "run/export.h"
#include "run/run.h"
#include "run/survey.h"

/* Both kinds of training hold the same handles: the data alone, all else shared. */
static int train(int (*job)(maskdm_model **out, const maskdm_options *options, maskdm_data *data, maskdm_mask *mask,
                            maskdm_control *control),
                 maskdm_model **out, const maskdm_options *options, maskdm_data *data, maskdm_mask *mask,
                 maskdm_control *control)
{
    struct mdm_work work = {0};

    MDM_TRY(mdm_work_share(&work, mdm_options_handle(options)));
    MDM_TRY(mdm_work_alone(&work, MDM_HANDLE(data)));
    MDM_TRY(mdm_work_share(&work, MDM_HANDLE(mask)));
    MDM_TRY(mdm_work_share(&work, MDM_HANDLE(control)));
    MDM_TRY(mdm_work_alone(&work, control ? control->comm : NULL));
    return mdm_work_end(&work, job(out, options, data, mask, control));
}

int maskdm_train(maskdm_model **out, const maskdm_options *options, maskdm_data *data, maskdm_mask *mask,
                 maskdm_control *control)
{
    if (out)
        *out = NULL;
    MDM_NEED(options);
    return train(mdm_run_train, out, options, data, mask, control);
}

int maskdm_pretrain(maskdm_model **out, const maskdm_options *options, maskdm_data *data, maskdm_mask *mask,
                    maskdm_control *control)
{
    if (out)
        *out = NULL;
    MDM_NEED(options);
    return train(mdm_run_pretrain, out, options, data, mask, control);
}

int maskdm_finetune(maskdm_model **out, const maskdm_options *options, maskdm_data *data, maskdm_mask *mask,
                    maskdm_control *control)
{
    if (out)
        *out = NULL;
    MDM_NEED(options);
    return train(mdm_run_finetune, out, options, data, mask, control);
}

int maskdm_tune(maskdm_model **out, const maskdm_options *options, maskdm_data *data, maskdm_mask *mask,
                maskdm_control *control)
{
    if (out)
        *out = NULL;
    MDM_NEED(options);
    return train(mdm_run_tune, out, options, data, mask, control);
}

int maskdm_convert(const maskdm_options *options, maskdm_control *control)
{
    struct mdm_work work = {0};

    MDM_NEED(options);
    MDM_TRY(mdm_work_share(&work, mdm_options_handle(options)));
    MDM_TRY(mdm_work_share(&work, MDM_HANDLE(control)));
    return mdm_work_end(&work, mdm_convert_run(options, control));
}

int maskdm_export(const maskdm_options *options, maskdm_control *control)
{
    struct mdm_work work = {0};

    MDM_NEED(options);
    MDM_TRY(mdm_work_share(&work, mdm_options_handle(options)));
    MDM_TRY(mdm_work_share(&work, MDM_HANDLE(control)));
    return mdm_work_end(&work, mdm_export_run(options, control));
}

int maskdm_pack(const maskdm_options *options, maskdm_control *control)
{
    struct mdm_work work = {0};

    MDM_NEED(options);
    MDM_TRY(mdm_work_share(&work, mdm_options_handle(options)));
    MDM_TRY(mdm_work_share(&work, MDM_HANDLE(control)));
    return mdm_work_end(&work, mdm_pack_run(options, control));
}

int maskdm_average(const maskdm_options *options, maskdm_control *control)
{
    struct mdm_work work = {0};

    MDM_NEED(options);
    MDM_TRY(mdm_work_share(&work, mdm_options_handle(options)));
    MDM_TRY(mdm_work_share(&work, MDM_HANDLE(control)));
    return mdm_work_end(&work, mdm_average_run(options, control));
}

int maskdm_evaluate(const maskdm_options *options, maskdm_control *control, maskdm_write_callback write, void *user)
{
    struct mdm_work work = {0};

    MDM_NEED(options);
    MDM_NEED(write);
    MDM_TRY(mdm_work_share(&work, mdm_options_handle(options)));
    MDM_TRY(mdm_work_share(&work, MDM_HANDLE(control)));
    return mdm_work_end(&work, mdm_evaluate_run(options, control, write, user));
}

int maskdm_survey(const maskdm_options *options, maskdm_control *control, maskdm_write_callback write, void *user)
{
    struct mdm_work work = {0};

    MDM_NEED(options);
    MDM_NEED(write);
    MDM_TRY(mdm_work_share(&work, mdm_options_handle(options)));
    MDM_TRY(mdm_work_share(&work, MDM_HANDLE(control)));
    return mdm_work_end(&work, mdm_survey_run(options, control, write, user));
}
