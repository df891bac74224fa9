"""The door for the WebUI, which runs this file at its start and at each `Reload UI`."""

from lib_trainer.ui.webui.registration import register

register()
