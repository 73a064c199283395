// A mail as it was sent: in a frame that runs nothing, made when it is asked for and gone when it is not.
document.addEventListener(
  "toggle",
  ({ target: part }) => {
    if (!part.dataset?.mail) return;
    part.querySelector(".mail-frame")?.remove();
    if (!part.open) return;
    const box = document.createElement("div");
    box.className = "mail-frame";
    const frame = document.createElement("iframe");
    frame.setAttribute("sandbox", "allow-popups allow-popups-to-escape-sandbox");
    frame.referrerPolicy = "no-referrer";
    frame.title = part.dataset.title;
    frame.src = part.dataset.mail;
    box.append(frame);
    part.append(box);
  },
  true,
);
