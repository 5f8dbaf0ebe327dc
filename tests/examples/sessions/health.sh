# SPDX-License-Identifier: MIT
# Sixty hosts, twelve with troubles of four kinds.
get "$at/check"
get "$at/" | grep up
