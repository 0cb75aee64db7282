"""The main job in real JupyterLab: headless Chromium, a real kernel, a fake microphone, sound."""
