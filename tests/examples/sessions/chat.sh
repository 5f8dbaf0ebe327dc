# SPDX-License-Identifier: MIT
# A hundred clients and two who talk; the server is told to end while most are there.
get "$at/" | grep -c WebSocket
get "$at/ws?name=ann"
touch "$work/told" # chat_talk does
python3 "$here/chat_talk.py" "$at" "$program"
