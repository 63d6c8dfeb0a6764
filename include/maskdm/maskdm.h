/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Everything.
 */
#ifndef MASKDM_MASKDM_H
#define MASKDM_MASKDM_H

#include <maskdm/comm.h>
#include <maskdm/common.h>
#include <maskdm/control.h>
#include <maskdm/data.h>
#include <maskdm/device.h>
#include <maskdm/file.h>
#include <maskdm/image.h>
#include <maskdm/mask.h>
#include <maskdm/metric.h>
#include <maskdm/model.h>
#include <maskdm/optimizer.h>
#include <maskdm/options.h>
#include <maskdm/run.h>
#include <maskdm/sample.h>
#include <maskdm/scheduler.h>
#include <maskdm/solver.h>
#include <maskdm/train.h>

#endif
