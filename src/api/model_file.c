/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Public face of model files.
 */
#include <maskdm/model.h>

#include "api/argument.h"
#include "model/model.h"

int maskdm_model_load(maskdm_model **out, maskdm_device *device, const char *path)
{
    struct mdm_work work = {0};

    MDM_NEED_OUT(out);
    MDM_NEED(device);
    MDM_NEED(path);
    MDM_TRY(mdm_work_share(&work, mdm_device_handle(device)));
    return mdm_work_end(&work, mdm_model_load(out, device, path));
}

int maskdm_model_load_memory(maskdm_model **out, maskdm_device *device, const void *bytes, size_t size)
{
    struct mdm_work work = {0};

    MDM_NEED_OUT(out);
    MDM_NEED(device);
    MDM_NEED(bytes);
    MDM_TRY(mdm_work_share(&work, mdm_device_handle(device)));
    return mdm_work_end(&work, mdm_model_load_memory(out, device, bytes, size));
}

int maskdm_model_load_one(maskdm_model **out, maskdm_device *device, const char *path, int which)
{
    struct mdm_work work = {0};

    MDM_NEED_OUT(out);
    MDM_NEED(device);
    MDM_NEED(path);
    MDM_NEED_WEIGHTS(which);
    MDM_TRY(mdm_work_share(&work, mdm_device_handle(device)));
    return mdm_work_end(&work, mdm_model_load_one(out, device, path, which));
}

int maskdm_model_load_one_memory(maskdm_model **out, maskdm_device *device, const void *bytes, size_t size,
                                 int which)
{
    struct mdm_work work = {0};

    MDM_NEED_OUT(out);
    MDM_NEED(device);
    MDM_NEED(bytes);
    MDM_NEED_WEIGHTS(which);
    MDM_TRY(mdm_work_share(&work, mdm_device_handle(device)));
    return mdm_work_end(&work, mdm_model_load_one_memory(out, device, bytes, size, which));
}

int maskdm_model_load_from(maskdm_model **out, maskdm_device *device, maskdm_read_callback read, void *user)
{
    struct mdm_work work = {0};

    MDM_NEED_OUT(out);
    MDM_NEED(device);
    MDM_NEED(read);
    MDM_TRY(mdm_work_share(&work, mdm_device_handle(device)));
    return mdm_work_end(&work, mdm_model_load_from(out, device, read, user));
}

int maskdm_model_load_one_from(maskdm_model **out, maskdm_device *device, maskdm_read_callback read, void *user,
                               int which)
{
    struct mdm_work work = {0};

    MDM_NEED_OUT(out);
    MDM_NEED(device);
    MDM_NEED(read);
    MDM_NEED_WEIGHTS(which);
    MDM_TRY(mdm_work_share(&work, mdm_device_handle(device)));
    return mdm_work_end(&work, mdm_model_load_one_from(out, device, read, user, which));
}

int maskdm_model_save(maskdm_model *model, const char *path)
{
    struct mdm_work work = {0};

    MDM_NEED(model);
    MDM_NEED(path);
    MDM_TRY(mdm_work_share(&work, &model->handle));
    return mdm_work_end(&work, mdm_model_save(model, path));
}

int maskdm_model_save_to(maskdm_model *model, maskdm_write_callback write, void *user)
{
    struct mdm_work work = {0};

    MDM_NEED(model);
    MDM_NEED(write);
    MDM_TRY(mdm_work_share(&work, &model->handle));
    return mdm_work_end(&work, mdm_model_save_to(model, write, user));
}
