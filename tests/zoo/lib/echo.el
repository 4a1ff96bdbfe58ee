;; SPDX-License-Identifier: MIT
;; echo.el PORT open|org|busy: an echo by Emacs' websocket, which may want the subprotocol
;; org; busy, Emacs runs a command and has no time for anybody.
(require 'package)
(package-initialize)
(require 'websocket)
(let ((port (string-to-number (pop command-line-args-left)))
      (mode (pop command-line-args-left)))
  (websocket-server
   port :host 'local
   :protocol (when (string= mode "org") '("org"))
   :on-message (lambda (socket frame) (websocket-send-text socket (websocket-frame-text frame))))
  (when (string= mode "busy")
    (call-process "sleep" nil nil nil "900")))
(while t
  (sleep-for 0.1)
  (accept-process-output nil 0.1))
